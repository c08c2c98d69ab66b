"""What the domain of a mail address tells: a company's own, a free mailbox, a school, or nothing."""

import re

from pipeline.reading.naming import words

FREE = words("""
    gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com rocketmail.com
    icloud.com me.com mac.com aol.com aim.com gmx.com gmx.net gmx.de gmx.at gmx.ch web.de t-online.de
    freenet.de mail.com mail.ru bk.ru inbox.ru list.ru yandex.ru yandex.com rambler.ru ukr.net proton.me
    protonmail.com protonmail.ch pm.me tutanota.com tuta.io tuta.com zoho.com zohomail.com fastmail.com
    fastmail.fm hey.com hushmail.com qq.com 163.com 126.com sina.com naver.com hanmail.net daum.net
    orange.fr wanadoo.fr free.fr laposte.net sfr.fr libero.it virgilio.it alice.it tin.it uol.com.br
    bol.com.br terra.com.br wp.pl o2.pl onet.pl interia.pl seznam.cz centrum.cz abv.bg btinternet.com
    sky.com virginmedia.com comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net
    charter.net earthlink.net juno.com rediffmail.com telenet.be skynet.be ziggo.nl kpnmail.nl planet.nl
    bluewin.ch luukku.com suomi24.fi kolumbus.fi elisanet.fi saunalahti.fi pp.inet.fi inet.fi welho.com
    netti.fi dnainternet.net mbnet.fi telia.com spray.se bredband.net comhem.se passagen.se tele2.se
    swipnet.se online.no mailinator.com guerrillamail.com 10minutemail.com yopmail.com trashmail.com
""")
"""Mailboxes that anybody can open. The large ones exist under many countries: see FREE_ANYWHERE."""
FREE_ANYWHERE = re.compile(r"^(yahoo|hotmail|outlook|live|gmx|yandex|ymail)\.(com?\.)?[a-z]{2,3}$")
SCHOOLS = words("""
    helsinki.fi aalto.fi tuni.fi utu.fi jyu.fi oulu.fi uef.fi lut.fi abo.fi hanken.fi ulapland.fi
    uwasa.fi uniarts.fi metropolia.fi haaga-helia.fi laurea.fi turkuamk.fi samk.fi xamk.fi savonia.fi
    jamk.fi seamk.fi oamk.fi lapinamk.fi arcada.fi novia.fi centria.fi kamk.fi karelia.fi hamk.fi
    diak.fi humak.fi kth.se lu.se uu.se su.se chalmers.se gu.se liu.se umu.se ltu.se ki.se slu.se oru.se
    kau.se lnu.se hhs.se mdu.se uio.no ntnu.no uib.no ku.dk dtu.dk au.dk sdu.dk aau.dk ut.ee taltech.ee
    tum.de lmu.de kit.edu ethz.ch epfl.ch uva.nl tudelft.nl uu.nl kuleuven.be
""")
SCHOOL_NAMES = re.compile(r"(^|\.)(edu|ac|sch|k12)(\.[a-z]{2,3})?$|(^|\.)(student|students|stud|alumni|edu)\.")
ADDRESS = re.compile(r"^[^@\s<>,;]+@([a-z0-9_\-\u00a1-\uffff]+(?:\.[a-z0-9_\-\u00a1-\uffff]+)+)\.?$")


def normalised(address: str) -> str:
    """The address in the one spelling under which it is hashed: lower case, bare."""
    bare = address.strip().casefold().removeprefix("mailto:")
    return bare[bare.rfind("<") + 1 : -1].strip() if bare.endswith(">") and "<" in bare else bare


def domain_of(address: str) -> str | None:
    """The domain of a normalised address; None where it is no address."""
    match = ADDRESS.match(address)
    return match.group(1) if match else None


def domain_kind(domain: str | None) -> str:
    """corporate, free, education, or unknown where there is no domain."""
    if domain is None:
        return "unknown"
    if domain in FREE or FREE_ANYWHERE.match(domain):
        return "free"
    if SCHOOL_NAMES.search(domain) or any(domain == school or domain.endswith("." + school) for school in SCHOOLS):
        return "education"
    return "corporate"
