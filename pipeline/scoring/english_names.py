"""Given names that are spelled in several ways and said in one: a recognizer cannot know which is meant.

Names that sound different stay apart (Catherine and Katrina, Kristin and Christine), and so do those of which one is
also a word or a place (Mark, Sydney).
"""

# The first of each line is the form that is compared.
_SPELLINGS = """
catherine catharine katherine katharine kathryn cathryn
cathy kathy
katie katy
phillip philip
stephen steven
jon john
jonathan johnathan jonathon
sara sarah
sean shawn shaun
geoffrey jeffrey jeffery
geoff jeff
eric erik erick
carl karl
philippa phillipa
lindsay lindsey
anne ann
brian bryan
allan allen alan
caitlin kaitlyn kaitlin katelyn
elisabeth elizabeth
nicolas nicholas
rachael rachel
rebekah rebecca
theresa teresa
tracy tracey
zoe zoey
aisha ayesha
mohammed muhammad mohamed mohammad muhammed
sophia sofia
isabel isobel isabelle
hannah hanna
aaron aron
clare claire clair
derek derrick
neil neal
stuart stewart
matthew mathew
frederick fredrick
meghan megan
lynn lynne
michelle michele
kristen kristin
cristina christina
christopher kristopher
lawrence laurence
vivian vivien
jacqueline jaqueline
alastair alistair alasdair
glen glenn
greg gregg
ian iain
lesley leslie
marianne maryanne
nathalie natalie
sally sallie
yasmin yasmine
"""

SPELLINGS: dict[str, str] = {}
for _line in filter(None, _SPELLINGS.splitlines()):
    _form, *_others = _line.split()
    for _name in _others:
        SPELLINGS[_name] = _form
        SPELLINGS[_name + "s"] = _form + "s"  # "Sarah's", of which only the letters are left
