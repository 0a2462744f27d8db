"""The sentences of the notices, with blanks in braces."""

MONTHS = {
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip

DATED = {
    "fr": "Toute copie doit être détruite au plus tard le {date}",
    "en": "Every copy must be destroyed by {date} at the latest",
}
UNDATED = {
    "fr": "La date limite de destruction n'est pas encore connue : la fin de la convention n'est pas fixée",
    "en": "The date by which it must be destroyed is not known yet: the end of the convention is not fixed",
}

RELEASE = {
    "fr": """
Ce colis a deux serrures. La clé de la première, propre à ce colis, vous est
remise par la passerelle à votre demande ; chaque remise est journalisée :

    passerelle release-key {parcel} --as {recipient} > cle-du-colis.txt

(ou demandez-la à votre correspondant). Elle cessera d'exister le jour où les
données seront détruites : votre copie restera alors fermée.
""",
    "en": """
This parcel has two locks. The key of the first, made for this parcel alone, is
handed to you by the gateway on request; each time is logged:

    passerelle release-key {parcel} --as {recipient} > parcel-key.txt

(or ask your contact). It ceases to exist on the day the data are destroyed:
your copy then stays shut.
""",
}

RESENDS = {
    "fr": """
Ce colis est un nouvel envoi du colis {parcel} ({reason}).
L'extrait est le même, octet pour octet. N'en gardez qu'un.
""",
    "en": """
This parcel sends parcel {parcel} again ({reason}).
The extract is the same, byte for byte. Keep one of the two.
""",
}

SUPERSEDES = {
    "fr": """
Ce colis remplace {parcels} ({reason}).
N'utilisez plus le précédent et détruisez-en toutes les copies.
""",
    "en": """
This parcel takes the place of {parcels} ({reason}).
Do not use the earlier one any more, and destroy every copy of it.
""",
}

INSIDE = {
    "extract": {"fr": "l'extrait chiffré", "en": "the encrypted extract"},
    "verdicts": {"fr": "le verdict rendu sur chaque ligne, chiffré", "en": "the verdict on each row, encrypted"},
}
REPORTS = {
    "fr": """report.html, report.json
    le compte rendu du fichier reçu, à lire et pour vos programmes
""",
    "en": """report.html, report.json
    the report on the file received, to read and for your programs
""",
}

FORMULAS = {
    "fr": """
Attention : des cellules commencent par =, +, - ou @. Un tableur peut les
prendre pour des formules : importez-les comme du texte.
""",
    "en": """
Beware: some cells begin with =, +, - or @. A spreadsheet may take them for
formulas: import them as text.
""",
}

FRENCH = """COLIS {parcel}

{title}
Convention      {convention}, {article}
Échange         {exchange}
Finalité        {purpose}
Période         {period}
De              {sender}
À               {recipient}
Numéro d'ordre  {sequence}
Préparé le      {created}
Source          {sources}
Lignes          {rows}
{earlier}
{deadline}.
Calcul : {arithmetic}

Il vous faut tar et ssh-keygen (présents sous Linux, macOS et Windows 10 ou
plus récent) et age (https://age-encryption.org).

1. VÉRIFIER

Le fichier allowed_signers est celui que la passerelle vous a remis lors de
l'enregistrement de votre clé. N'en utilisez jamais un autre, surtout s'il
accompagne un colis.

    {verify}

La réponse doit commencer par : {good}

    sha256sum {member}

doit donner (c'est aussi la valeur de cipher_sha256 dans manifest.json) :

    {cipher_sha256}

2. OUVRIR
{release}
    {open}

où ma-cle.txt est votre clé privée (age ou SSH) ; elle ne quitte jamais votre
poste. Puis

    sha256sum {extract}

doit donner :

    {plain_sha256}
{formulas}
3. CE QUE CONTIENT LE COLIS

{member}
    {inside}
manifest.json
    de quoi il s'agit : colonnes, provenance, décomptes, échéance
manifest.json.sig
    la signature de ce fichier
manifest.tlog-proof
    la preuve qu'il est inscrit au registre de la passerelle
LISEZMOI.txt, README.txt
    cette notice, en français et en anglais
{reports}"""

ENGLISH = """PARCEL {parcel}

{title}
Convention      {convention}, {article}
Exchange        {exchange}
Purpose         {purpose}
Period          {period}
From            {sender}
To              {recipient}
Sequence        {sequence}
Made on         {created}
Source          {sources}
Rows            {rows}
{earlier}
{deadline}.
Arithmetic: {arithmetic}

You need tar and ssh-keygen (on Linux, macOS, and Windows 10 or later) and age
(https://age-encryption.org).

1. CHECK

The file allowed_signers is the one that the gateway gave you when your key was
enrolled. Never use another one, least of all one that comes with a parcel.

    {verify}

The answer must begin with: {good}

    sha256sum {member}

must give (it is also the value of cipher_sha256 in manifest.json):

    {cipher_sha256}

2. OPEN
{release}
    {open}

where my-key.txt is your private key (age or SSH); it never leaves your
machine. Then

    sha256sum {extract}

must give:

    {plain_sha256}
{formulas}
3. WHAT IS IN THE PARCEL

{member}
    {inside}
manifest.json
    what it is: columns, origin, counts, deadline
manifest.json.sig
    the signature of that file
manifest.tlog-proof
    the proof that it is in the gateway's trail
LISEZMOI.txt, README.txt
    this notice, in French and in English
{reports}"""
