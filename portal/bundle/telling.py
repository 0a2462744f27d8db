"""What a bundle comes to, what it proves and does not, how to check it, and the words it uses."""

from __future__ import annotations

from collections.abc import Iterator

from portal.bundle.blocks import Section, Tongue, on
from portal.bundle.sections import standing
from portal.render import Lang
from portal.words import NO_VALUE, ground
from retention.bundle import Evidence

READ_ME: dict[Lang, str] = {
    "fr": """DOSSIER D'AUDIT DE LA CONVENTION {convention}

À lire       index.html, dans n'importe quel navigateur, sans réseau.
À vérifier   python3 -I -S verify.py
             Le script recalcule chaque empreinte, chaque preuve et chaque signature, et dit ce qui tient.
             Il lui faut Python 3.9 ou plus récent, et rien d'autre : ni la passerelle, ni le réseau.

Sans le script, avec les outils de tout poste :
             sha256sum -c SHA256SUMS
             ssh-keygen -Y verify -f trust/allowed_signers -I passerelle -n passerelle-bundle -s SHA256SUMS.sig < SHA256SUMS
             Faites-le d'abord : verify.py est l'un des fichiers signés.

Les clés du dossier trust/ viennent du dossier lui-même. Comparez-les à celles que la passerelle vous a remises par une
autre voie, ou donnez les vôtres : python3 -I -S verify.py --trust DOSSIER

evidence/    les pièces, en JSON, et les fichiers signés tels quels
trail/       le jalon signé du registre de preuve, la preuve de chaque écriture, les jalons antérieurs
bundle.json  ce que contient ce dossier
""",
    "en": """AUDITOR'S BUNDLE OF THE CONVENTION {convention}

To read      index.html, in any browser, without a network.
To check     python3 -I -S verify.py --lang en
             The script computes every hash, proof and signature anew and says what holds.
             It needs Python 3.9 or later and nothing else: neither the gateway nor a network.

Without the script, with what every machine has:
             sha256sum -c SHA256SUMS
             ssh-keygen -Y verify -f trust/allowed_signers -I passerelle -n passerelle-bundle -s SHA256SUMS.sig < SHA256SUMS
             Do this first: verify.py is one of the signed files.

The keys in the folder trust/ come from the bundle itself. Compare them with those that the gateway gave you by another
way, or give your own: python3 -I -S verify.py --trust FOLDER

evidence/    the pieces, as JSON, and the signed files as they are
trail/       the signed head of the trail, the proof of each entry, earlier heads
bundle.json  what this bundle has
""",
}


def essentials(t: Tongue, e: Evidence) -> list[str]:
    """What a reader in a hurry takes away."""
    figures = e.about["figures"]
    found = [standing(t, e)]
    if figures["deliveries"]:
        sent = t.count(
            figures["deliveries"], ("envoi a quitté", "envois ont quitté"), ("delivery left", "deliveries left")
        )
        to = t.count(figures["recipients"], ("destinataire", "destinataires"), ("recipient", "recipients"))
        rows = t.count(figures["rows"], ("ligne", "lignes"), ("row", "rows"))
        found.append(
            t.say(
                f"{sent} la passerelle, vers {to}, soit {rows} ; chacun a été autorisé avant de partir.",
                f"{sent} the gateway, to {to}, {rows} in all; each was allowed before it left.",
            )
        )
    else:
        found.append(
            t.say(
                "Rien n'a quitté la passerelle au titre de cette convention.",
                "Nothing left the gateway under this convention.",
            )
        )
    found.append(
        t.count(figures["refusals"], ("réponse de refus est consignée.", "réponses de refus sont consignées."), ("refusal is on record.", "refusals are on record."))
        if figures["refusals"]
        else t.say("Aucun refus n'est consigné.", "No refusal is on record.")
    )  # fmt: skip
    incidents = len(e.documents["incidents"]["entries"]) + len(e.documents["incidents"]["exposures"])
    if incidents:
        found.append(
            t.count(
                incidents,
                ("incident est consigné.", "incidents sont consignés."),
                ("incident is on record.", "incidents are on record."),
            )
        )
    found.append(_fate(t, e))
    lasting = [one for one in e.documents["destruction"]["holds"] if one["lifted_on"] is None]
    if lasting:
        found.append(
            t.count(
                len(lasting),
                ("suspension de la destruction est en cours.", "suspensions de la destruction sont en cours."),
                ("hold on the destruction lasts.", "holds on the destruction last."),
            )
        )
    return found


def _fate(t: Tongue, e: Evidence) -> str:
    """What became of the data, or will."""
    known = e.documents["destruction"]
    left = any(one["present"] for one in known["holdings"] if one["ours"] and one["kind"] != "index")
    if known["certificates"] and left:
        last = known["certificates"][-1]
        return t.say(
            f"Une partie des données a été détruite, en dernier le {on(t, last['completed_at'])} (certificat {last['purge']}) ; le reste est conservé.",
            f"Part of the data was destroyed, last on {on(t, last['completed_at'])} (certificate {last['purge']}); the rest is kept.",
        )
    if known["certificates"]:
        last = known["certificates"][-1]
        return t.say(
            f"Les données que tenait la passerelle ont été détruites le {on(t, last['completed_at'])} ; certificat signé {last['purge']}.",
            f"The data that the gateway held were destroyed on {on(t, last['completed_at'])}; signed certificate {last['purge']}.",
        )
    if not any(one["present"] for one in known["holdings"] if one["ours"]):
        return t.say(
            "La passerelle ne détient rien au titre de cette convention.",
            "The gateway holds nothing under this convention.",
        )
    deadline = known["plan"]["deadline"]
    if not isinstance(deadline["value"], str):
        return t.say("Date de destruction : ", "Date of destruction: ") + t.text(NO_VALUE.get(deadline["status"])) + "."
    basis = t.text(ground(deadline["basis"], deadline["article"]))
    return t.say(
        f"Les données que tient la passerelle seront détruites au plus tard le {on(t, deadline['value'])} ({basis}).",
        f"The data that the gateway holds will be destroyed on {on(t, deadline['value'])} at the latest ({basis}).",
    )


def proven(t: Tongue, e: Evidence) -> Iterator[Section]:
    """What is proved, what the gateway alone affirms, what nothing here proves."""
    certificates = e.documents["destruction"]["certificates"]
    section = Section("proven", t.say("Ce que ce dossier prouve", "What this bundle proves"))
    section.points = [
        t.say(
            "Que chaque écriture reprise ici figure au registre, à sa place, et que rien n'y a été réécrit depuis qu'elle est couverte par un jalon signé.",
            "That each entry shown stands in the trail, in its place, and that nothing was rewritten since a signed head covers it.",
        ),
        t.say(
            "Que chaque envoi a été décidé avant de partir, avec le texte dont l'empreinte figure au registre, et que les numéros d'envoi se suivent sans trou.",
            "That each delivery was decided before it left, by the text whose hash is in the trail, and that the numbers follow each other without a gap.",
        ),
        t.say(
            "Que les accusés de réception sont signés par les clés des destinataires, et les certificats par celle de la passerelle.",
            "That receipts are signed by the recipients' keys, and certificates by the gateway's.",
        ),
    ]
    if e.about["whole_trail"]:
        section.points.append(
            t.say(
                "Qu'aucune écriture de cette convention n'a été laissée de côté : le registre entier est joint, et le script le relit.",
                "That no entry about this convention was left out: the whole trail is enclosed, and the script reads it again.",
            )
        )
    section.points += [one[t.lang] for body in certificates for one in body["proved"]]
    yield section
    yield _affirmed(t)
    section = Section("unproven", t.say("Ce que rien ici ne prouve", "What nothing here proves"))
    section.points = [
        t.say(
            "Qu'aucun échange n'a eu lieu en dehors de la passerelle.",
            "That no exchange took place outside the gateway.",
        ),
        *dict.fromkeys(one[t.lang] for body in certificates for one in body["not_proved"]),
    ]
    if not e.about["whole_trail"]:
        section.points.insert(
            0,
            t.say(
                "Que toutes les écritures de cette convention sont là : le reste du registre n'a pas été joint.",
                "That all entries about this convention are here: the rest of the trail was not enclosed.",
            ),
        )
    yield section


def _affirmed(t: Tongue) -> Section:
    section = Section(
        "affirmed",
        t.say(
            "Ce que la passerelle affirme, sans preuve dans ce dossier",
            "What the gateway affirms, without proof in this bundle",
        ),
    )
    section.points = [
        t.say(
            "Le détail du journal des accès : le registre en garde l'empreinte par lots, que le DPO vérifie sur place (passerelle access verify).",
            "The lines of the access log: the trail keeps the hash of its batches, which the DPO verifies on the spot (passerelle access verify).",
        ),
        t.say(
            "Qui a consigné, inscrit ou approuvé : le registre compte les personnes et ne les nomme pas.",
            "Who recorded, enrolled or approved: the trail counts people and does not name them.",
        ),
        t.say(
            "Le registre des copies et l'état des fichiers reçus, pour ce que le registre de preuve n'en dit pas.",
            "The register of copies and the outcome of the files taken in, as far as the trail does not tell them.",
        ),
        t.say(
            "Qu'un partenaire a détruit ses copies : s'il l'atteste, sa signature est vérifiée ; ce qu'elle dit reste sa parole.",
            "That a partner destroyed its copies: where it attests so, its signature is verified; what it says remains its word.",
        ),
        t.say(
            "Les dates déduites du texte : le texte, les événements et le calcul sont ici, pour que chacun puisse le refaire.",
            "The dates derived from the text: the text, the events and the arithmetic are here, so that anyone can do it again.",
        ),
    ]
    return section


def checking(t: Tongue, e: Evidence) -> Section:
    """How to check the bundle oneself."""
    section = Section("checking", t.say("Vérifier ce dossier", "To check this bundle"))
    section.paragraphs = [
        t.say(
            "Dans le dossier, sur n'importe quel poste, sans réseau. Les deux premières commandes ne font appel qu'aux outils du système ; "
            "la troisième recalcule aussi les preuves et dit en clair ce qui tient.",
            "In the folder, on any machine, without a network. The first two commands need what the system has; the third computes the "
            "proofs too and says plainly what holds.",
        ),
        t.say(
            f"Les clés jointes (trust/) sont celles de la passerelle {e.about['trail']['origin']} : comparez-les à celles qu'elle vous a remises par une autre voie.",
            f"The keys enclosed (trust/) are those of the gateway {e.about['trail']['origin']}: compare them with those it gave you by another way.",
        ),
    ]
    section.commands = [
        "sha256sum -c SHA256SUMS",
        "ssh-keygen -Y verify -f trust/allowed_signers -I passerelle -n passerelle-bundle -s SHA256SUMS.sig < SHA256SUMS",
        "python3 -I -S verify.py" + t.say("", " --lang en"),
    ]
    return section


def glossary(t: Tongue) -> Section:
    """The words that the page uses."""
    section = Section("glossary", t.say("Les mots employés", "The words used"))
    words = (
        ("Registre de preuve", "Trail", "suite d'écritures chaînées, qui ne contient aucune donnée de personne ; on ne peut ni la modifier ni l'abréger sans que cela se voie", "a chain of entries that holds no person's data; it cannot be changed or cut short unseen"),
        ("Jalon", "Head", "signature de la passerelle sur tout le registre à un instant donné", "the gateway's signature over the whole trail at an instant"),
        ("Décision", "Decision", "réponse de la passerelle à une demande d'envoi, avec son motif et l'article", "the gateway's answer to a request to send, with its reason and article"),
        ("Bordereau", "Manifest", "pièce signée jointe à chaque envoi : contenu, article, destinataire, date de destruction", "the signed piece in each delivery: content, article, recipient, date of destruction"),
        ("Accusé de réception", "Receipt", "pièce signée par le destinataire", "a piece signed by the recipient"),
        ("Certificat", "Certificate", "pièce signée par la passerelle après une destruction", "a piece that the gateway signs after a destruction"),
        ("Attestation", "Attestation", "déclaration d'un partenaire sur la destruction de ses propres copies", "a partner's word on the destruction of its own copies"),
        ("Empreinte", "Hash", "suite de 64 caractères propre à un fichier : un seul octet changé en donne une autre (SHA-256)", "64 characters that are a file's own: one byte changed gives others (SHA-256)"),
        ("Fondement", "Basis", "« selon le texte », « par interprétation » ou « règle de la passerelle »", "“as stated”, “by interpretation” or “hub policy”"),
    )  # fmt: skip
    section.points = [
        t.say(f"{fr} : {meaning_fr}.", f"{en}: {meaning_en}.") for fr, en, meaning_fr, meaning_en in words
    ]
    return section
