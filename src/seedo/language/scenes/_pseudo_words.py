"""Pronounceable words that mean nothing, made by scripts/pseudo_words.py."""

PSEUDO_WORDS = tuple(
    """
bagox balmir bandak barlul barmig benont bentab bepek betig bimoz birbit birdeg blagif blapab
bledan blenol blibez blived blorim blotix blukox blutel bluvit borbek borkip boterk bralib
briler bripog britel brofir bruduz brufuf brugom brukik brupen bukuz bulmin bultod burmuz
butesk daftur dakaz dalmok dastat dekent derbux diltub dirbax divix dontil dordaz dradub dretez
drimab dripig drirut dritur drodox dromip dronok dropom drukod drumum drupur dubaz durbot
durkab fakint farkeb fatunt febosk fedur fenkux ferug fikob filkoz finil finkob fitult fivant
flazok fledap flegum flifug flilig flitar flovup flulip fomamp foskug fubig fubump fulim fupiz
fupob fuskaf fustig gerlib gibok giftun girbul girdok girmot givex glafux glatat glepit glevel
glibot glikap glinem gliped glizof glokop glopof glotok glozul glubof glufor gluzet gonkig
gorded gozeb gozomp graduk gragon grazug grelen gribod grilop grinep grivir grodit gronux
grukor grumix gruzir gurez gurkal guskel guveb kampor kanteg karbaz karled kelkil kenit kerdut
ketad ketosk kigult kimurk kivag klavit klebim klivod klogug klozax kobeb konkeb kormap kotint
kozag kozesk kradak kredup kreker krinuf krirel kromum kropod krurag kuftum kuskon lakol lankop
larlel libisk libolt limbof linkuz liskol lofeg lolmut lomof lompib londir lostad lukam lulkan
lultiz luntim luzisk mabork madod magug malult mankix manuz mavul mazag medib mefteb mefur
mekep melked menkit merbuk mermix migum milten mirlet mivut modork mokark momped mormip motib
mozob mugad mumpor muzun nagomp nambom namom nardig narmut nelket nenkoz nerkak nermez ninad
nirdix noltaz nordil normox noskem novont nubix nukul numot nuntux nupet nurkib nustep palkog
paltum pambud parbap parik parmel pebom pegek pegut penux petof pevob pifop pinamp pirbip
pirdiz pirlob plageg plamor plapur plarom plepap plezad plibul plimob plunit pluvub pobit pogal
polerk polmen poltuz prabap predix proded profuz progip propum pudosk puftaf pumark pumbod
rampox rarmek reltek reskuf riltop rimolt riput rirbeg rizik roftak rolad rombir rompax rorlak
rormir rozod rufalt rufur rukid rukolt rurmem salteg samab sarant sarbux sarmax sazomp semelt
sempag seresk sevor sibud simok simpak siskid skadig skakaf skugun skumil slagib slanox slatug
slavet sledak slerof slikam slilan slivum slotad slozot snabom snafeg snagub snakib snarid
snatud snedum snepot snipik snonut snulaf sogur somir sondud spafam spagok spanal spavag spepon
speroz spevek spofan spomeb sponog spopir spotut spurof sputep spuvat spuzez stakox starur
stekoz steluf sterut stibug stinuf stipox stodil stonon stovik stupef sturon suntaf surleg
sutok tafult tagok tagunt talkul tantil tapug tazusk tekork tendok tetag tezan tigik tirmap
tovuk trepul trevaf trezap tritak troniz trugif truvek truzof tufint tunkex tupont turak vardix
vegamp vepal vetant vibem viftiz vimbal virkil viskek vistez vivok vizud vomop vubuz vufted
vupod vurbif wafoz wakeg wakit wapur warlom watusk wedol wendud wetug wibob widig wilkez wiltef
wimbez wirdup wogaf wontek workot wovul wozamp wudep wultux wumpez wunkip wunomp wuntot wurmun
wuvemp yafek yalap yatat yelkut yelum yepat yerkif yerlol yestag yetid yilter yindix yipor
yirdir yirmig yisked yitar yizesk yobef yobob yompap yonkab yonon yoskup yostix yuftuf yugisk
yulub yurkam yutap yutif zabam zakark zalkik zalmux zarkal zarlex zastum zelod zelurk zembun
zikup zinduf zinun zirdif zirux zituf zizurk zodont zofump zolop zombuf zoped zopuz zormiz
zunkim zurbak
""".split()
)
"""Two syllables each; no two begin alike."""
