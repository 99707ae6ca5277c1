"""The ways in which people ask, and the form of the grammar that each means.

A cause is always ``{a}`` and an outcome ``{b}`` (see `_phrase_pattern`), on both sides, so that no
entry can turn them round. Words in capitals stand for what `_WORDS` says.
"""

from __future__ import annotations

import re

_WORDS = {
    "PRE": "(please|can you|could you|tell me|show me|give me|find|estimate|calculate|compute|get|"
           "i want to know|i would like to know|i'd like to know|i wonder|do you know|what is|"
           "what's|whats|what are|what was|what were|what would be|how big is|how large is|"
           "how strong is|how much is|how high is|the|a|an|size of|magnitude of|value of|so|hi|"
           "hello|whether|if|quantify|measure|report|how (do|can|could|should) "
           "(i|we) (get|estimate|compute|calculate|measure|find))*",
    "POST": "(please|,|thanks|in my (data|table|study)|in (the|this|these) "
     "(data|table|dataset|study|sample)|"
            "on average|here|overall|in general|at all|significantly|exactly|then)*",
    "ADV": "(really|actually|significantly|causally|truly|ever|even|also|still|strongly|in fact|"
           "have to|just)*",
    "AUX": "(does|do|did|can|could|will|would|may|might)",
    "ADJ": "(average|mean|expected|overall|total|causal|estimated|treatment|marginal|net|true|real|"
           "population|statistical)*",
    "EFFECT": "(effect|effects|impact|impacts|influence|ate|contribution|efficacy|effectiveness|"
              "benefit|role)",
    "ON": "(on|upon|in|to|for|over)",
    "AFFECT": "(affect|affects|influence|influences|impact|impacts|change|changes|alter|alters|"
              "drive|drives|determine|determines|matter for|matters for|matter to|matters to|"
              "(make|makes) a difference (to|for|in)|(have|has) (an|any|a|some)? "
              "(causal|significant|real|direct or indirect)* (effect|impact|influence) "
              "(on|upon|in)|help|helps|hurt|hurts|lead to|leads to|result in|results in|act on|"
              "acts on|play a role (in|for)|plays a role (in|for)|contribute to|contributes to|"
              "cause|causes|bring about|trigger|triggers|produce|produces|cause changes in|"
              "cause a change in)",
    "AFFECTED": "(affected|influenced|impacted|changed|altered|driven|determined|caused|triggered|"
                "produced|brought about|moved|shaped)",
    "UP": "(raise|raises|increase|increases|improve|improves|boost|boosts|maximise|maximises|"
          "maximize|maximizes|grow|enhance|enhances)",
    "DOWN": "(lower|lowers|reduce|reduces|decrease|decreases|minimise|minimises|minimize|minimizes|"
            "cut|cuts|shrink|prevent|prevents|worsen|worsens)",
    "WHO": "(i|we|you|one|they|someone|somebody|everyone|everybody)",
    "CHANGING": "(changing|increasing|raising|setting|varying|lowering|reducing|decreasing|taking|"
                "using|getting|giving|having|more|less|higher|lower|a change in|changes in|"
                "a higher|a lower|an increase in|a decrease in|the level of)",
    "RISES": "(was|were)? (increase|increased|raised|increases|rises|goes up|grows|is "
     "increased|is raised|increased|rose|went up|changes|"
             "is changed|changed|decreases|falls|drops|goes down|is reduced|is lowered|moves|"
             "is varied|varies)",
    "MANY": "(factor|factors|variable|variables|cause|causes|column|columns|input|inputs|thing|"
            "things|driver|drivers|predictor|predictors|feature|features|parameter|parameters)",
    "MOST": "(most important|main|biggest|largest|strongest|key|top|leading|most influential|"
            "primary|major)",
    "LOW": "(low|lower|small|smaller|little|bad)",
    "HIGH": "(high|higher|large|larger|big|bigger|great)",
    "SO": "(so|very|such a|such|too|unusually|that|a|this)*",
    "SETTING": "(value|setting|level|choice|dose|amount|values|settings|levels)",
    "BEST": "(best|optimal|optimum|ideal|right)",
    "MEAN": "(mean|average|expected value|expectation|expected|avg|mean value|average value)",
    "CHANCE": "(probability|chance|chances|likelihood|prob|risk|proportion|fraction|share|"
              "percentage|frequency)",
    "TREATED": "(on|for|among|in|amongst) (the treated|those treated|those who were treated|"
               "treated units|treated subjects|treated people|treated patients)",
    "CATE": "(cate|conditional average treatment effect|conditional effect|hte|heterogeneous "
            "treatment effect|heterogeneous treatment effects|uplift)",
    "VERSUS": "(versus|vs|vs.|against|compared to|compared with|over|instead of|rather than|"
              "relative to)",
    "UPS": "(maximise|maximize|raise|increase|improve|boost)",
    "DOWNS": "(minimise|minimize|lower|reduce|decrease|cut)",
    "SIGNIFICANT": "(statistically|really|actually)? (significant|real|zero|nonzero|non-zero|"
                   "different from zero|positive|negative|large|small|strong|meaningful|"
                   "important|causal|robust)",
}  # fmt: skip

_SET = (
    "WHO? (set|setting|fix|fixing|force|put|hold|make|change|move|changed|moved) {a} "
    "(to|at|=|as|equal to|to be) {v}",
    "{a} (is|was|were|are|be|being)? (set|fixed|forced|held|put|changed|moved) "
    "(to|at|=|as|equal to) {v}",
)
_FROM_TO = (
    "{a} (goes|changes|moves|increases|decreases|rises|falls|drops|went|is|was|were|is changed|"
    "is moved|is increased|is raised|is reduced|were to go|would go|goes up|goes down|changed|"
    "switched|is switched)? from {v} to {w}",
    "WHO? (change|move|increase|raise|set|take|lower|reduce|switch|changing|moving|increasing|"
    "raising|switching|going|go|decrease) {a} from {v} to {w}",
)
_IF = "(if|when|as|by|with|after|under|once|for|upon)"
_HOW_MUCH = (
    f"(how (much|far|strongly)?|by how much) AUX {{b}} (change|changes|increase|decrease|rise|fall|"
    f"vary|differ|move|go up|go down|grow|drop|improve|respond|react) {_IF}? (to)?"
)
_WHAT_HAPPENS = ("(what (happens|would happen|will happen|could happen|becomes|happened) "
 "(to|of|with)|"
                 "how is)")  # fmt: skip
_BY_GROUP = "(vary|varies|differ|differs|change|changes|depend|depends) (by|with|across|on|between)"

READ: tuple[tuple[str, str], ...] = (
    # Effects.
    ("PRE (att|atet|tot) of {a} ON {b} {t} POST", "effect of {a} on {b} among the treated {t}"),
    ("PRE ADJ effect on the treated of {a} ON {b} {t} POST",
     "effect of {a} on {b} among the treated {t}"),
    ("PRE ADJ EFFECT of {a} TREATED ON {b} {t} POST", "effect of {a} on {b} among the treated {t}"),
    ("PRE ADJ EFFECT of {a} ON {b} TREATED {t} POST", "effect of {a} on {b} among the treated {t}"),
    ("PRE (att|atet|ADJ effect) of {a} TREATED POST", "effect of {a} on {y} among the treated"),
    ("PRE att of {a} POST", "effect of {a} on {y} among the treated"),
    ("PRE ADJ EFFECT of? {a} ON {b} {t} POST", "effect of {a} on {b} {t}"),
    ("PRE ADJ EFFECT of (an|a)? (changing|moving|raising|increasing|lowering|reducing|switching|"
     "going|change|increase|decrease|jump) (in)? {a} from {v} to {w} ON {b} {t} POST",
     "effect of {a} on {b} from {v} to {w} {t}"),
    ("PRE ADJ EFFECT of (a|an)? (changing|raising|increasing|setting|varying|change in|increase in|"
     "unit increase in|one unit increase in|more|higher) {a} ON {b} {t} POST",
     "effect of {a} on {b} {t}"),
    ("PRE CATE of {a} ON {b} by {t} POST", "effect of {a} on {b} by {t}"),
    ("PRE (heterogeneous|heterogeneity of|subgroup|stratified) (the)? EFFECT of {a} ON {b} "
     "(by|across) {t} POST", "effect of {a} on {b} by {t}"),
    ("PRE {a} (effect|effects|impact|influence) (on|upon) {b} POST", "effect of {a} on {b}"),
    ("how (sure|certain|confident) (are|is|can) (you|we|it|one) (be)? that {a} AFFECT {b} POST",
     "does {a} cause {b}?"),
    ("(counterfactual|the counterfactual) {b} (for|of|in) row {n} (if|when|with|had) {a} "
     "(=|is|was|were|been|at)? {v} POST", "what would {b} have been had {a} been {v} in row {n}?"),
    ("what would {b} (of|in|for) row {n} have been (with|if|had|under|at|when) {a} "
     "(=|is|was|were|been|at)? {v} POST", "what would {b} have been had {a} been {v} in row {n}?"),
    ("PRE CATE of {a} ON {b} (for|given|where|among|within|in|if) {t} POST",
     "effect of {a} on {b} for {t}"),
    ("how (effective|efficacious|good|useful|important|harmful) is {a} (for|at|in|on|to) "
     "(UP|DOWN|increasing|reducing|raising|lowering|improving|preventing)? {b} {t} POST",
     "effect of {a} on {b} {t}"),
    ("AUX {a} make {b} (better|worse|higher|lower|faster|slower|go up|go down|larger|smaller|"
     "more likely|less likely) {t} POST", "effect of {a} on {b} {t}"),
    (f"{_HOW_MUCH} {{a}} (were|was|is|had been) (set to)? {{w}} (instead of|rather than|and not) "
     "{v} {t} POST", "effect of {a} on {b} from {v} to {w} {t}"),
    ("(is|was) (there|the|a|an|any|it)* ADJ (EFFECT|difference) SIGNIFICANT? POST",
     "effect of {x} on {y}"),
    ("PRE ADJ (EFFECT|effect size) POST", "effect of {x} on {y}"),
    ("(does|did|do) (it|this|the treatment|the intervention|treatment) (work|help|have an effect|"
     "make a difference|matter) POST", "effect of {x} on {y}"),
    ("PRE ADJ EFFECT ON {b} (of|from|by) {a} {t} POST", "effect of {a} on {b} {t}"),
    ("PRE {a} 's ADJ EFFECT ON {b} {t} POST", "effect of {a} on {b} {t}"),
    ("is there (a|an|any) ADJ SIGNIFICANT? ADJ EFFECT of {a} ON {b} {t} POST",
     "effect of {a} on {b} {t}"),
    ("(is|was|are|how) PRE ADJ EFFECT of {a} ON {b} SIGNIFICANT {t} POST",
     "effect of {a} on {b} {t}"),
    ("how (significant|certain|sure|large|big|strong) is the ADJ EFFECT of {a} ON {b} {t} POST",
     "effect of {a} on {b} {t}"),
    ("PRE (significance|p value|p-value|confidence interval|uncertainty|standard error) (of|for) "
     "(the)? ADJ EFFECT of {a} ON {b} {t} POST", "effect of {a} on {b} {t}"),
    ("PRE (direct|average direct) ADJ EFFECT of {a} ON {b} {t} POST",
     "direct effect of {a} on {b} {t}"),
    ("AUX {a} have (a|an|any) direct ADJ EFFECT ON {b} {t} POST",
     "direct effect of {a} on {b} {t}"),
    ("PRE (average|mean)? (indirect|mediated|mediation) ADJ EFFECT of {a} ON {b} "
     "(via|by way of|through|mediated by|mediated through|acting through|by) {t} POST",
     "indirect effect of {a} on {b} through {t}"),
    ("PRE (average|mean)? (indirect|mediated|mediation) ADJ EFFECT of {a} ON {b} POST",
     "indirect effect of {a} on {b}"),
    ("PRE ADJ EFFECT of {a} ON {b} (that)? (is|goes|acts|runs|via|by way of|through|mediated)* "
     "(via|by way of|through|mediated by|mediated through) {t} POST",
     "indirect effect of {a} on {b} through {t}"),
    ("(is|are) the ADJ EFFECT of {a} ON {b} (mediated|explained|carried|transmitted) "
     "(by|through|via) {m} POST", "indirect effect of {a} on {b} through {m}"),
    ("AUX {m} mediate (the)? ADJ EFFECT of {a} ON {b} POST",
     "indirect effect of {a} on {b} through {m}"),
    ("AUX {a} AFFECT {b} (through|via|by way of) {m} POST",
     "indirect effect of {a} on {b} through {m}"),
    # Groups.
    (f"how AUX the ADJ EFFECT of {{a}} ON {{b}} {_BY_GROUP} {{z}} POST",
     "effect of {a} on {b} by {z}"),
    (f"AUX the ADJ EFFECT of {{a}} ON {{b}} {_BY_GROUP} {{z}} POST",
     "effect of {a} on {b} by {z}"),
    ("AUX {z} (moderate|modify) the ADJ EFFECT of {a} ON {b} POST", "effect of {a} on {b} by {z}"),
    # Whether there is an effect.
    ("AUX {a} directly AFFECT {b}", "is there an edge from {a} to {b}"),
    ("is {a} a direct cause of {b}", "is there an edge from {a} to {b}"),
    ("is {b} directly AFFECTED by {a}", "is there an edge from {a} to {b}"),
    ("AUX ADV {a} ADV AFFECT {b} POST", "does {a} cause {b}"),
    ("AUX CHANGING {a} ADV (AFFECT|UP|DOWN) {b} POST", "does {a} cause {b}"),
    ("(is|was) {a} (a|the|one)? (of the)? (true|real|possible|actual)* "
     "(cause|causes|reason|driver) "
     "(of|for|behind) {b} POST", "does {a} cause {b}"),
    ("(is|was) {a} (causing|affecting|influencing|driving|changing|responsible for|to blame for) "
     "{b} POST", "does {a} cause {b}"),
    ("(is|was|are|were|has|have) {b} ADV (being|been)? AFFECTED by {a} POST", "does {a} cause {b}"),
    ("(can|could|may|might|will|would) {b} ADV be ADV AFFECTED by {a} POST", "does {a} cause {b}"),
    ("AUX {b} (respond|react) to {a} POST", "does {a} cause {b}"),
    ("AUX {b} (result|come|follow|arise) from {a} POST", "does {a} cause {b}"),
    ("(is|was|are|AUX|has|have)* {b} (a|the)? (change|changed|high|low|higher|lower|rise|fall|so|"
     "consequence|result|effect|caused)* (because of|due to|owing to|thanks to|as a result of) {a} "
     "POST", "does {a} cause {b}"),
    ("is {b} (a|the) (consequence|result|effect|function) of {a} POST", "does {a} cause {b}"),
    ("AUX ADV {a} ADV AFFECT {b} {t} POST", "effect of {a} on {b} {t}"),
    ("AUX ADV {a} ADV (UP|DOWN) {b} {t} POST", "effect of {a} on {b} {t}"),
    ("AUX CHANGING {a} ADV (AFFECT|UP|DOWN) {b} {t} POST", "effect of {a} on {b} {t}"),
    # How large it is.
    ("(how (much|strongly|far|does)*|by how much|to what extent) AUX? {a} ADV "
     "(AFFECT|UP|DOWN|cost) "
     "{b} {t} POST", "effect of {a} on {b} {t}"),
    ("what (does|do|did|will|would) CHANGING? {a} do to {b} {t} POST", "effect of {a} on {b} {t}"),
    ("what (kind of)? EFFECT AUX {a} have ON {b} {t} POST", "effect of {a} on {b} {t}"),
    ("how much (of an|of a)? EFFECT AUX {a} have ON {b} {t} POST", "effect of {a} on {b} {t}"),
    *((f"{_HOW_MUCH} {by} {{t}} POST", "effect of {a} on {b} from {v} to {w} {t}")
      for by in _FROM_TO),
    *((f"PRE (change|difference|increase|decrease) in {{b}} {_IF} {by} {{t}} POST",
       "effect of {a} on {b} from {v} to {w} {t}") for by in _FROM_TO),
    *((f"{_WHAT_HAPPENS} {{b}} {_IF} {by} {{t}} POST",
       "effect of {a} on {b} from {v} to {w} {t}") for by in _FROM_TO),
    *((f"{_IF} {by} ,? (how (much|does)*|by how much|what happens to|what is the change in) AUX? "
       "{b} (change|increase|decrease|rise|fall|move)? POST",
       "effect of {a} on {b} from {v} to {w}") for by in _FROM_TO),
    (f"{_HOW_MUCH} {{a}} RISES (by (one|1|a) unit|by (one|1))? POST", "effect of {a} on {b}"),
    (f"{_HOW_MUCH} (each|every|one|a|per) (unit|extra|additional|more|unit increase|unit change|"
     "increase)* (of|in)? {a} POST", "effect of {a} on {b}"),
    (f"{_HOW_MUCH} WHO (change|increase|raise|vary|lower|reduce|decrease|move) {{a}} "
     "(by (one|1|a) unit|by (one|1))? POST", "effect of {a} on {b}"),
    ("PRE (change|increase|decrease|difference) in {b} (per|for each|for every|for a|for one|for) "
     "(unit|one|additional|extra|more|increase|change|a|of|in)* {a} POST", "effect of {a} on {b}"),
    (f"{_WHAT_HAPPENS} {{b}} {_IF} {{a}} RISES POST", "effect of {a} on {b}"),
    (f"{_WHAT_HAPPENS} {{b}} {_IF} WHO (change|increase|raise|vary|lower|reduce|decrease) {{a}} "
     f"POST",
     "effect of {a} on {b}"),
    ("if {a} RISES ,? (does|will|would) {b} (change|increase|decrease|rise|fall|go up|go down|"
     "improve|drop|follow)? (too|also)? POST", "effect of {a} on {b}"),
    # Means and chances under a setting.
    *((f"(PRE MEAN? (of|value of)?|{_WHAT_HAPPENS}|predict|what (would|will|does|is) (MEAN|the)*) "
       f"{{b}} (be|become|been|look like|on average)* {_IF} {do} POST",
       "E [ {b} | do ( {a} = {v} ) ]") for do in _SET),
    *((f"{_IF} {do} ,? (what happens to|what (is|would|will) (MEAN|the)*|how does) {{b}} "
       "(be|become|change)? POST", "E [ {b} | do ( {a} = {v} ) ]") for do in _SET),
    *((f"(PRE CHANCE (that|of)|how (likely|probable|often) is (it that)?) {{e}} {_IF} {do} POST",
       "P ( {e} | do ( {a} = {v} ) )") for do in _SET),
    # Seeing.
    ("PRE (CHANCE (that|of)|how (likely|probable|often) is (it that)?) {e} "
     "(given that|given|provided that|conditional on) {g} POST", "P ( {e} | {g} )"),
    ("PRE CHANCE (that|of) {e} (for|among|in|where) {g} POST", "P ( {e} | {g} )"),
    ("PRE CHANCE (that|of) {e} POST", "P ( {e} )"),
    ("how (likely|probable|often|common) (is|does) (it that)? {e} POST", "P ( {e} )"),
    ("(what|which) CHANCE of (the)? (rows|cases|patients|people|units) (have|has|with|show|are) "
     "{e} "
     "POST", "P ( {e} )"),
    ("PRE MEAN (of)? (the)? {b} (given that|given|for|where|among|in|with|conditional on) "
     "{g} POST", "E [ {b} | {g} ]"),
    ("PRE MEAN (of)? (the)? {b} POST", "E [ {b} ]"),
    ("(what is|how (large|high|big) is) {b} (on average|usually|typically)", "E [ {b} ]"),
    ("PRE (correlation|association) (of|between) {a} (and|with) {b} POST",
     "correlation of {a} and {b}"),
    ("correlate {a} (and|with) {b}", "correlation of {a} and {b}"),
    ("(are|is) {a} ADV (and|with)? (correlated|associated) (with|to) {b} POST",
     "correlation of {a} and {b}"),
    ("(are|is) {a} and {b} ADV (correlated|associated) POST", "correlation of {a} and {b}"),
    ("how ADV (correlated|associated) (are|is) {a} (and|with) {b} POST",
     "correlation of {a} and {b}"),
    ("AUX {a} (and|correlate with|correlate and) {b} (correlate)? POST",
     "correlation of {a} and {b}"),
    # The best.
    ("PRE (what|which)? PRE BEST SETTING (of|for) {a} (for|to get|to obtain) "
     "(high|highest|max|maximum|maximal|maximum of|most|best|the|a)* {b} POST",
     "best setting of {a} to raise {b}"),
    ("PRE (what|which)? PRE BEST SETTING (of|for) {a} (to|that) UP {b} POST",
     "best setting of {a} to raise {b}"),
    ("PRE (what|which)? PRE BEST SETTING (of|for) {a} (to|that) DOWN {b} POST",
     "best setting of {a} to lower {b}"),
    ("PRE (what|which)? PRE BEST SETTING (of|for) {a} (for|to get|to obtain) "
     "(low|lowest|min|minimum|minimal|least|the|a)* {b} POST", "best setting of {a} to lower {b}"),
    ("PRE (what|which|at which|at what)? PRE SETTING of {a} (that)? (UP|gives the "
     "(highest|most|best|"
     "largest|maximum)|leads to the (highest|most|best)|is (best|optimal) for|yields the "
     "(highest|most|best)) {b} (most|the most)? POST", "best setting of {a} to raise {b}"),
    ("PRE (what|which)? PRE SETTING of {a} (that)? (DOWN|gives the (lowest|least|smallest|minimum)|"
     "leads to the (lowest|least)|yields the (lowest|least)) {b} (most|the most)? POST",
     "best setting of {a} to lower {b}"),
    ("(at|for) (what|which) (SETTING of)? {a} is {b} "
     "(highest|largest|greatest|maximal|maximum|best|"
     "at its maximum|maximised|maximized) POST", "best setting of {a} to raise {b}"),
    ("(at|for) (what|which) (SETTING of)? {a} is {b} (lowest|smallest|minimal|minimum|at its "
     "minimum|"
     "minimised|minimized) POST", "best setting of {a} to lower {b}"),
    ("(what|where|how|to what) (should|must|do|would) WHO? {a} be? (set|choose|put)? (set "
     "to|to|at)? "
     "(to|for) (UP|get the (most|highest|best)|the (best|highest)|best) {b} POST",
     "best setting of {a} to raise {b}"),
    ("(what|where|how|to what) (should|must|do|would) (i|we|one) (set|choose|put) {a} (to|at)? "
     "(to|for) (UP|get the (most|highest|best)|the (best|highest)|best) {b} POST",
     "best setting of {a} to raise {b}"),
    ("(what|where|how|to what) (should|must|do|would) (i|we|one) (set|choose|put) {a} (to|at)? "
     "(to|for) (DOWN|get the (least|lowest)|the lowest) {b} POST",
     "best setting of {a} to lower {b}"),
    ("(which|what) {a} (is (the)? best for|works best for|UP|gives the (highest|most|best)|is "
     "optimal for|"
     "leads to the (highest|most|best)) {b} (most|the most)? POST",
     "best setting of {a} to raise {b}"),
    ("(which|what) {a} (DOWN|gives the (lowest|least)|leads to the (lowest|least)) {b} (most|the "
     "most)? "
     "POST", "best setting of {a} to lower {b}"),
    ("(which|what) {a} (is better|is best|is the best|won|wins|works best|works better|performs "
     "best|performs better|is optimal) POST", "best setting of {a} to raise {y}"),
    ("(what|which) is the (best|optimal|ideal) {a} (for {b})? POST", "best setting of {a} to "
     "raise {b}"),
    ("PRE (best|optimal|optimum|ideal) {a} POST", "best setting of {a} to raise {y}"),
    ("PRE BEST (SETTING|setup|configuration|combination|conditions) (of (everything|the factors|"
     "the variables))? (for|to get|to UP) {b} POST", "best intervention to raise {b}"),
    ("(optimise|optimize|maximise|maximize) {b} (over|by setting|by choosing|with|using|by) {a} "
     "POST",
     "best setting of {a} to raise {b}"),
    ("(minimise|minimize) {b} (over|by setting|by choosing|with|using|by) {a} POST",
     "best setting of {a} to lower {b}"),
    ("PRE {a} that (maximises|maximizes) {b} POST", "best setting of {a} to raise {b}"),
    ("PRE {a} that (minimises|minimizes) {b} POST", "best setting of {a} to lower {b}"),
    ("(how (can|do|could|should|to)* WHO?|what (should|can|could) WHO (do|change) to|"
     "PRE BEST (way|intervention|action|treatment|thing to do) to|PRE) UP {b} (most|the most)? "
      "POST",
     "best intervention to raise {b}"),
    ("(how (can|do|could|should|to)* WHO?|what (should|can|could) WHO (do|change) to|"
     "PRE BEST (way|intervention|action|treatment|thing to do) to|PRE) DOWN {b} (most|the most)? "
     "POST", "best intervention to lower {b}"),
    ("(what|which MANY) UP {b} (most|the most)? POST", "best intervention to raise {b}"),
    ("(what|which MANY) DOWN {b} (most|the most)? POST", "best intervention to lower {b}"),
    # Ranking.
    ("(rank|order|compare|sort) (all)? (the)? MOST? MANY (of|for|affecting|behind|that affect|"
     "influencing|by (their)? EFFECT on|by importance for) {b} POST", "rank the causes of {b}"),
    ("(what|which) (of)? (the)? MANY? (AFFECT) {b} (the)? (most|more|strongest) POST",
     "rank the causes of {b}"),
    ("(what|which) (of)? (the)? MANY? (matters|matter|counts|contributes|contribute|is|are) "
     "(the)? (most|most important|more) (for|to|in|on) {b} POST", "rank the causes of {b}"),
    ("(what|which) (of)? (the)? MANY? (has|have) the MOST EFFECT ON {b} POST",
     "rank the causes of {b}"),
    ("PRE (what|which)? PRE MOST MANY (is|are)? (of|for|behind|in|affecting|driving) {b} POST",
     "rank the causes of {b}"),
    ("PRE (feature|variable|factor|relative)? importance (of)? MANY? (for|of|in) {b} POST",
     "rank the causes of {b}"),
    ("PRE ranking of (the)? MANY (of|for) {b} POST", "rank the causes of {b}"),
    ("(how important|what) is each MANY (for|to) {b} POST", "rank the causes of {b}"),
    # Causes and effects.
    ("(what|which) (of)? (the)? MANY? AFFECT {b} POST", "what causes {b}"),
    ("PRE (all)? (the)? (possible|true|root|direct and indirect)* (cause|causes|drivers|"
     "determinants|ancestors) (of|for|behind) {b} POST", "what causes {b}"),
    ("what is {b} AFFECTED by POST", "what causes {b}"),
    ("(what|which MANY) (explains|explain|predicts|predict) {b} POST", "what causes {b}"),
    ("(is|are|does|do) {a} or {z} (more|matter) (important|influential|relevant|more)? "
     "(for|to|in) {b}",
     "rank the causes of {b}"),
    ("(attribute|trace) {b} to (its|the) causes", "rank the causes of {b}"),
    ("what (does|do) {b} (depend on|come from|result from|respond to|react to) POST",
     "what causes {b}"),
    ("why (does|do|did) {b} (change|vary|differ|move) POST", "what causes {b}"),
    ("(what|which) (of)? (the)? MANY? directly AFFECT {b} POST", "parents of {b}"),
    ("PRE (direct|immediate) (cause|causes|drivers|determinants) (of|for) {b} POST",
     "parents of {b}"),
    ("PRE (all)? (the)? (consequence|consequences|descendants|outcomes) of {a} POST",
     "effects of {a}"),
    ("(what|which) (other)? MANY? (does|do) {a} AFFECT POST", "effects of {a}"),
    ("(what|which) (of)? (the)? MANY? (is|are) AFFECTED by {a} POST", "effects of {a}"),
    ("(what|which) (of)? (the)? MANY? (depends|depend) on {a} POST", "effects of {a}"),
    ("is there a (directed|causal)? path from {a} to {b} POST", "is {a} an ancestor of {b}"),
    ("is there a (direct)? (edge|arrow|link|arc) from {a} to {b} POST",
     "is there an edge from {a} to {b}"),
    ("(is|was) {a} an (indirect)? ancestor of {b}", "is {a} an ancestor of {b}"),
    ("PRE (causal)? (graph|dag|structure|network|edges) POST", "which edges are certain"),
    ("(which|what) edges (are there|exist|did you find|do you find|are sure) POST",
     "which edges are certain"),
    ("(draw|learn|discover) (the)? (causal)? (graph|dag|structure|network) POST",
     "which edges are certain"),
    # One row.
    *((f"why (was|is|were) (the)? {{b}} SO {word} (value)? (in|for|at|of) (the)? {place} {{n}}",
       f"why was {{b}} {said} in {place} {{n}}")
      for word, said in (("LOW", "low"), ("HIGH", "high")) for place in ("row", "episode")),
    *((f"why (was|is) {{b}} (of|in|for|at) {place} {{n}} SO {word}",
       f"why was {{b}} {said} in {place} {{n}}")
      for word, said in (("LOW", "low"), ("HIGH", "high")) for place in ("row", "episode")),
    *((f"why (was|is) {place} {{n}} SO {word} (in|on|for) {{b}}",
       f"why was {{b}} {said} in {place} {{n}}")
      for word, said in (("LOW", "low"), ("HIGH", "high")) for place in ("row", "episode")),
    *((f"why (did|does|has) {place} {{n}} (have|has|had|get|show) SO {word} {{b}}",
       f"why was {{b}} {said} in {place} {{n}}")
      for word, said in (("LOW", "low"), ("HIGH", "high")) for place in ("row", "episode")),
    *((f"(root cause|root causes|cause|causes|reason|reasons) (of|for) SO {word} {{b}} in {place} "
     f"{{n}}",
       f"why was {{b}} {said} in {place} {{n}}")
      for word, said in (("LOW", "low"), ("HIGH", "high")) for place in ("row", "episode")),
    *((f"what made {{b}} SO {word} in {place} {{n}}", f"why was {{b}} {said} in {place} {{n}}")
      for word, said in (("LOW", "low"), ("HIGH", "high")) for place in ("row", "episode")),
    *((f"why (was|is) {place} {{n}} SO {word}", f"why was {{y}} {said} in {place} {{n}}")
      for word, said in (("LOW", "low"), ("HIGH", "high")) for place in ("row", "episode")),
    *((f"(explain|what explains|what caused|why was|why is|why) {{b}} (= {{v}}|what it was|"
       f"the way it (is|was))? (in|of|for|at) {place} {{n}}",
       f"why was {{b}} as it was in {place} {{n}}") for place in ("row", "episode")),
    *((f"(explain|what explains|what happened in) {place} {{n}}",
       f"why was {{y}} as it was in {place} {{n}}") for place in ("row", "episode")),
    *((f"what would {{b}} have been (if|had) {{a}} (had been|were|was|been|had) {{v}} in {place} "
     f"{{n}}",
       f"what would {{b}} have been had {{a}} been {{v}} in {place} {{n}}")
      for place in ("row", "episode")),
    *((f"what would {{b}} have been in {place} {{n}} (if|had) {{a}} (had been|were|was|been|had) "
     f"{{v}}",
       f"what would {{b}} have been had {{a}} been {{v}} in {place} {{n}}")
      for place in ("row", "episode")),
    *((f"what if {{a}} (had been|were|was) {{v}} in {place} {{n}}",
       f"what would {{y}} have been had {{a}} been {{v}} in {place} {{n}}")
      for place in ("row", "episode")),
    *((f"would {{b}} have been {claim} if {{a}} (had been|were|was) {{v}} in {place} {{n}}",
       f"would {{b}} have been {claim} had {{a}} been {{v}} in {place} {{n}}")
      for claim in ("higher", "lower", "different") for place in ("row", "episode")),
    # What next; hidden causes.
    ("(what|which experiment|which intervention) (experiment|intervention)? (should|can|do) WHO "
     "(try|do|run|measure|test|set|intervene on) next POST", "what should be tried next"),
    ("PRE (best)? next (experiment|intervention|step|test) (to run|to do|to try)? POST",
     "what should be tried next"),
    ("(which|what) (experiment|intervention) (is|would be) (the)? (best|most informative) (next)? "
     "POST", "what should be tried next"),
    ("(is|are) there (any)? (hidden|unmeasured|unobserved|latent|omitted|unknown)* (confounding|"
     "confounders|common causes|confounder|common cause|variables) POST",
     "are there hidden confounders"),
    # Levels without their variable; seen and made are one where the variable was set in every row.
    ("(compare|contrast) {v} (and|with|to|against|VERSUS) {w} (on|in|for|with respect to|by) {b} "
     "POST", "effect of {f} on {b} from {v} to {w}"),
    ("(compare|contrast) {v} (and|with|to|against|VERSUS) {w} POST",
     "effect of {f} on {y} from {v} to {w}"),
    ("PRE MEAN? difference in MEAN? {b} between {v} (and|or) {w} ((of|in|for) {a})? POST",
     "effect of {f} on {b} from {v} to {w}"),
    ("(is|are) {v} (better|worse|higher|lower|more effective|different) (than|from) {w} "
     "(for|in|on|at) {b} POST", "effect of {f} on {b} from {w} to {v}"),
    ("(is|are) {v} (better|worse|higher|lower|more effective|different) (than|from) {w} POST",
     "effect of {f} on {y} from {w} to {v}"),
    ("PRE ADJ EFFECT of {a} from {v} to {w} POST", "effect of {a} on {y} from {v} to {w}"),
    ("PRE ADJ EFFECT of {a} from {v} to {w} ON {b} {t} POST",
     "effect of {a} on {b} from {v} to {w} {t}"),
    ("PRE ADJ EFFECT of {a} {v} VERSUS {w} ON {b} {t} POST",
     "effect of {a} on {b} from {w} to {v} {t}"),
    ("PRE ADJ EFFECT of {a} = {v} VERSUS {r} = {w} ON {b} {t} POST",
     "effect of {a} on {b} from {w} to {v} {t}"),
    ("PRE ADJ EFFECT of {a} \\( {v} VERSUS {w} \\) ON {b} {t} POST",
     "effect of {a} on {b} from {w} to {v} {t}"),
    ("PRE ADJ EFFECT of {a} ON {b} \\( {v} VERSUS {w} \\) {t} POST",
     "effect of {a} on {b} from {w} to {v} {t}"),
    # Medians, ratios, groups.
    ("PRE ADJ EFFECT of {a} ON (the)? median (of)? {b} {t} POST",
     "effect of {a} on the median of {b} {t}"),
    ("PRE median (of)? {b} POST", "median of {b}"),
    ("PRE median (of)? {b} (given that|given|for|where|among|in|with|when|if) {g} POST",
     "median of {b} for {g}"),
    ("PRE (risk ratio|relative risk|risk-ratio|rate ratio|rr) (of|for) {a} (on|for|and|in) {b} {t} "
     "POST", "risk ratio of {a} on {b} {t}"),
    ("PRE (odds ratio|odds-ratio|or) (of|for) {a} (on|for|and|in) {b} {t} POST",
     "odds ratio of {a} on {b} {t}"),
    ("how (many times|much) (more|less) (likely|often|probable) (is|does|will|becomes)? {b} (=? "
     "(yes|true|1))? (happen|occur|be)? (when|if|with|for|under)? {a} (is|=|was) (=)? {v} "
     "(than|compared to|compared with|versus|vs)? (when|if|with)? ({r})? (is|=|was)? (=)? {w} POST",
     "risk ratio of {a} on {b} from {w} to {v}"),
    ("how many times (more|less) (likely|often|probable) (AUX|is)? {a} (make|makes)? {b} POST",
     "risk ratio of {a} on {b}"),
    ("AUX {a} (double|triple|halve) (the (risk|chance|probability|odds) of)? {b} POST",
     "risk ratio of {a} on {b}"),
    ("PRE MEAN (of)? {b} (by|per|for each|for every|in each|across|grouped by|split by) {z} POST",
     "mean of {b} by {z}"),
    ("PRE BEST {a} to (UPS) {b} POST", "best setting of {a} to raise {b}"),
    ("PRE BEST {a} to (DOWNS) {b} POST", "best setting of {a} to lower {b}"),
    ("PRE ADJ EFFECT of {v} VERSUS {w} ON {b} {t} POST", "effect of {c} on {b} from {w} to {v} "
     "{t}"),
    ("PRE ADJ EFFECT of (switching|changing|moving|going) from {v} to {w} ON {b} {t} POST",
     "effect of {c} on {b} from {v} to {w} {t}"),
)  # fmt: skip
"""(pattern, the one form that it means)."""

_TWO_WAYS = "this may be about what is seen, or about what setting does"
_BOTH = ("effect of {a} on {b}", "does {a} cause {b}?")
_SEEN = ("effect of {a} on {b}", "correlation of {b} and {a}")
_LEVELS = ("effect of {c} on {b} from {v} to {w}", "E [ {b} | {c} = {w} ]")

NAMED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("AUX {b} ADV (depend|rely|hinge) (on|upon) {a} {t}", "", _SEEN),
    ("how (much|strongly)? AUX {b} (depend on|change with|vary with|scale with|change as|move with|"
     "relate to|change when|vary when) {a} {t}", "", _SEEN),
    ("AUX {b} (change|vary|differ|move|increase|decrease|rise|fall|go up|go down) "
     "(with|when|if|as|by) {a} {t}", "", _SEEN),
    ("(is|are) {b} dependent (on|upon) {a} {t}", "", _SEEN),
    ("(how)? (is|are|can) {b} (be)? (explained|predicted|described) (by|from|with) {a} {t}", "",
     _SEEN),
    ("(can|could|does|do) {a} (predict|explain|forecast) {b} {t}", "", _SEEN),
    ("(regress|regression of) {b} (on|against) {a} {t}", "", _SEEN),
    ("PRE (coefficient|slope|beta) (of|for|on) {a} (in|on|for) {b} {t}", "", _SEEN),
    ("PRE (effect|effects|impact|influence) of {a} ON {b} ,? (when|after|while)? (controlling "
     "for|adjusting for|"
     "adjusted for|controlled for|accounting for|holding|keeping|net of|ceteris "
      "paribus|conditional "
     "on|independent of) {t}",
     "what has to be held still follows from the graph", ("effect of {a} on {b}",
                                                          "direct effect of {a} on {b}")),
    ("AUX {a} AFFECT {b} ,? (when|after|while)? (controlling for|adjusting for|adjusted "
     "for|holding|"
     "keeping|accounting for|conditional on) {t}",
     "what has to be held still follows from the graph", ("effect of {a} on {b}",
                                                          "direct effect of {a} on {b}")),
    ("PRE (natural|controlled|pure) (direct|indirect) (effect|effects) of {a} ON {b} {t}", "",
     ("direct effect of {a} on {b}", "indirect effect of {a} on {b}")),
    ("(how much|what (part|share|fraction|proportion|percentage)) of the ADJ EFFECT of {a} ON {b} "
     "(is|goes|runs|comes|acts) (mediated|explained|through|via|by)* {m} POST",
     "shares of an effect are not computed",
     ("indirect effect of {a} on {b} through {m}", "effect of {a} on {b}")),
    ("PRE (proportion|share|fraction) mediated (by)? {t}", "shares of an effect are not computed",
     ()),
    ("PRE (interaction) (effect)? (of|between) {a} (and|with) {z} (on|for|in) {b} POST",
     "", ("effect of {a} on {b} by {z}",)),
    ("AUX {a} (and) {z} interact (in their effect)? (on|for|in|to affect) {b} POST",
     "", ("effect of {a} on {b} by {z}",)),
    ("(is|are) there (an|any|a)? interaction (of|between) {a} (and|with) {z} (on|for|in) {b} POST",
     "", ("effect of {a} on {b} by {z}",)),
    ("PRE ADJ EFFECT of {a} (=|being|at) {v} ON {b} POST", "say from what, too",
     ("effect of {a} on {b}", "E [ {b} | do ( {a} = {v} ) ]")),
    ("(is|are) {b} (higher|lower|better|worse|larger|smaller|different|changed) "
     "(with|under|for|in|on|by) {a} POST", _TWO_WAYS, _SEEN),
    ("(compare|contrast|comparison of) {b} (between|for|under|across|by|at) {a} POST", _TWO_WAYS,
     ("effect of {a} on {b}", "mean of {b} by {a}")),
    ("(compare|contrast|comparison of) {b} (between|for|under) {a} (=)? {v} (and|or|with|"
     "versus|vs) ({r} =)? {w} POST", _TWO_WAYS,
     ("effect of {a} on {b} from {v} to {w}", "mean of {b} by {a}")),
    ("PRE (t-test|ttest|anova|test|welch test) (of|for|on) {b} (by|between|against|on|across) {a} "
     "POST", _TWO_WAYS, ("effect of {a} on {b}", "mean of {b} by {a}")),
    ("PRE MEAN (of)? {b} (under|at|with) {a} POST", _TWO_WAYS,
     ("effect of {a} on {b}", "mean of {b} by {a}")),
    ("what would {b} be if (everyone|everybody|all|all of them|we|they|nobody|no one) "
     "(took|had|got|received|were on|used|were given) {a} POST", "say which value",
     ("effect of {a} on {b}", "does {a} cause {b}?")),
    ("(predict|prediction of) {b} (for|at|given|when) {a} (=|is|of)? {v} POST", _TWO_WAYS,
     ("E [ {b} | {a} = {v} ]", "E [ {b} | do ( {a} = {v} ) ]")),
    ("PRE (mediator|mediators) (of|between|for) {a} (and|on) {b} POST", "",
     ("indirect effect of {a} on {b}", "direct effect of {a} on {b}")),
    ("(what|which) (variable|variables|confounders|covariates|columns)? (should|must|need|"
     "needs|have) (to)? (be)? (adjusted|controlled|held|conditioned) (for|on)? {s} effect of "
     "{a} ON {b} {t}", "what is adjusted for follows from the graph: give --graph",
     ("effect of {a} on {b}",)),
    ("PRE CATE of {a} ON {b} {t}", "say for whom", ("effect of {a} on {b}",)),
    ("PRE (late|local average treatment effect|complier average causal effect|cace) of {a} ON {b} "
     "{t}", "give the graph with its instrument", ("effect of {a} on {b}",)),
    ("PRE (atc|atu|effect on the (untreated|controls)) of {a} ON {b} {t}",
     "only the treated can be singled out", ("effect of {a} on {b} among the treated",)),
    ("PRE (hazard ratio|hr|"
     "relative effect|percentage effect|percent change|elasticity|number needed to treat|nnt|"
     "cohen's d|effect size|lift) (of|for|between)? {a} (on|for|and|in) {b} {t}",
     "this is not computed: ask for the difference", ("effect of {a} on {b}",)),
    ("PRE (risk difference|ard|difference in risk) (of|for) {a} (on|for|and|in) {b} {t}", "",
     ("effect of {a} on {b}",)),
    ("(compare|contrast) {a} {v} (and|with|to|against|versus|vs) {w} (on|in|for|by) {b} POST",
     _TWO_WAYS, ("effect of {a} on {b} from {v} to {w}", "E [ {b} | {a} = {w} ]")),
    ("(compare|contrast) {v} (and|with|to|against|versus|vs) {w} (on|in|for|with respect to|by) "
     "{b} "
     "POST", _TWO_WAYS, _LEVELS),
    ("(compare|contrast) {v} (and|with|to|against|versus|vs) {w} POST",
     _TWO_WAYS, tuple(f.replace("{b}", "{y}") for f in _LEVELS)),
    ("PRE MEAN? difference in MEAN? {b} between {v} (and|or) {w} ((of|in|for) {a})? POST",
     _TWO_WAYS, _LEVELS),
    ("(is|are) {v} (better|worse|higher|lower|more effective|different) (than|from) {w} "
     "(for|in|on|at) {b} POST", _TWO_WAYS, _LEVELS),
    ("(is|are) {v} (better|worse|higher|lower|more effective|different) (than|from) {w} POST",
     _TWO_WAYS, tuple(f.replace("{b}", "{y}") for f in _LEVELS)),
    ("which of {v} (and|or) {w} is (the)? (better|best|worse|higher|lower) (for|in|on) {b} POST",
     _TWO_WAYS, _LEVELS),
    ("is {b} (higher|lower|better|worse|larger|smaller|more|less) (with|for|under|in|on) ({a})? "
     "{v} "
     "(than|or) (with|for|under|in|on)? {w} POST", _TWO_WAYS, _LEVELS),
    ("{v} (versus|vs|vs.|or) {w} (on|in|for) {b} POST", _TWO_WAYS, _LEVELS),
    ("PRE MEAN? (value of)? {b} under {a} = {v} POST", _TWO_WAYS,
     ("E [ {b} | do ( {a} = {v} ) ]", "E [ {b} | {a} = {v} ]")),
    ("(what|which) (variables|confounders|covariates)? should (i|we) (adjust|control|condition) "
     "(for|on) "
     "(to|when|if) {s} effect of {a} ON {b} {t}", "what is adjusted for follows from the graph: "
      "give "
     "--graph", ("effect of {a} on {b}",)),
    ("PRE (dose response|dose-response|response curve|response|curve|dependence) (curve)? "
     "(of|for) {a} "
     "ON {b} {t}", "ask from one value to another", ("effect of {a} on {b} from 0 to 1",)),
    ("PRE sensitivity of {b} to {a} {t}", "", _BOTH),
    ("{a} (AFFECT|UP|DOWN) {b} POST", "", _BOTH),
    ("(PRE CHANCE (that|of)|how (likely|probable|often) is (it that)?) {e} (if|when) {g} "
     "POST", _TWO_WAYS, ("P ( {e} | {g} )", "P ( {e} | do ( {g} ) )")),
    ("PRE MEAN (of)? {b} (if|when) {a} (is|was|were|=|equals) {v} POST", _TWO_WAYS,
     ("E [ {b} | {a} = {v} ]", "E [ {b} | do ( {a} = {v} ) ]")),
    ("PRE MEAN? difference in MEAN? {b} between {a} (=)? {v} (and|or) ({r} =)? {w} POST",
     _TWO_WAYS, ("effect of {a} on {b} from {v} to {w}", "E [ {b} | {a} = {w} ]")),
    ("by how much AUX {b} (change|fall|rise|drop|increase|decrease|grow|improve|go up|go down) "
     "(if|when) {a} (was|were|is|had been) (set to|at|made)? {v} POST", "say from what, too",
     ("effect of {a} on {b}", "E [ {b} | do ( {a} = {v} ) ]")),
    ("if {a} RISES by {v} ,? (how (much|does)*|by how much|what happens to|what is the change in) "
     "AUX? {b} (change|increase|decrease|rise|fall|move)? POST", "the effect of one unit is told",
     ("effect of {a} on {b}",)),
    ("PRE ADJ EFFECT of {a} (and|,) {z} ON {b} POST", "one cause at a time is told",
     ("effect of {a} on {b}", "effect of {z} on {b}")),
    ("PRE ADJ EFFECT of {a} ON {b} (given|conditional on|stratified on) {z} POST",
     "say which values, or ask for each", ("effect of {a} on {b} by {z}", "effect of {a} on {b}")),
    ("(is|are) {a} (and|to) {b} (conditionally)? independent {t} POST",
     "how strongly they go together is told", ("correlation of {a} and {b}",)),
    ("(is|are) {a} independent (of|from) {b} {t} POST",
     "how strongly they go together is told", ("correlation of {a} and {b}",)),
    ("PRE ADJ EFFECT of {a} ON {b} (in|for|among) (people|persons|patients|subjects|those|rows|"
     "units|women|men|children|adults)* (who are|that are|which are)? (older|above|over) (than)? "
     "{n} POST", "say of which column, as in for age > 50",
     ("effect of {a} on {b} for age > {n}", "effect of {a} on {b}")),
    ("PRE ADJ EFFECT of {a} ON {b} (in|for|among) (people|persons|patients|subjects|those|rows|"
     "units|women|men|children|adults)* (who are|that are|which are)? (younger|below|under) "
     "(than)? {n} POST", "say of which column, as in for age < 50",
     ("effect of {a} on {b} for age < {n}", "effect of {a} on {b}")),
    ("PRE MEAN (of)? {b} (if|when) {g} POST", _TWO_WAYS,
     ("E [ {b} | {g} ]", "E [ {b} | do ( {g} ) ]")),
    ("(PRE|what (would|will|is|does)) MEAN? {b} (be|become)? (if|when) {a} (is|was|were|=) (=)? "
     "{v} "
     "POST", _TWO_WAYS,
     ("E [ {b} | {a} = {v} ]", "E [ {b} | do ( {a} = {v} ) ]")),
    ("(what happens to|predict) {b} (if|when|for) {a} (is|was|were|=) {v} POST",
     _TWO_WAYS, ("E [ {b} | do ( {a} = {v} ) ]", "E [ {b} | {a} = {v} ]")),
    *((f"{start} (WHO (increase|raise|change|lower|reduce))? {{a}} RISES? by {{v}} POST",
       "say where it starts", ("effect of {a} on {b}",))
      for start in (_HOW_MUCH, f"{_WHAT_HAPPENS} {{b}} {_IF}")),
    ("PRE (effect|impact|influence) of {a} POST", "say on what",
     ("effects of {a}", "effect of {a} on {y}")),
    ("PRE ADJ (effect|effects|impact|influence) POST",
     "say of what on what, as in effect of CAUSE on OUTCOME", ()),
    ("(is|was) (there|the|a|an|any|it)* ADJ (EFFECT|difference) SIGNIFICANT? POST",
     "say of what on what, as in effect of CAUSE on OUTCOME", ()),
    ("(does|did|do) (it|this|the treatment|the intervention|treatment) (work|help|have an effect|"
     "make a difference|matter) POST", "say of what on what, as in effect of CAUSE on OUTCOME", ()),
    ("(is|are) {a} (a|an)? (significant|important|good|strong)* (for|in|predictor of|factor for|"
     "factor in|risk factor for) {b} {t}", "", _SEEN),
    ("AUX ({a})? {v} (work|do|perform) (better|worse) than {w} (for|on|in) {b} POST", _TWO_WAYS,
     _LEVELS),
    ("PRE (treatment|causal)? (effect|impact|influence) on {b} POST", "say of what",
     ("rank the causes of {b}", "what causes {b}?")),
    ("PRE (mode|variance|standard deviation|sd|minimum|maximum|min|max|range|quantile|"
     "percentile|distribution|sum|total|count) (of)? {b} {t}",
     "of a distribution its mean, median and probabilities are told",
     ("E [ {b} ]", "median of {b}")),
    ("(summarise|summarize|describe|plot|show) {b} {t}",
     "of a distribution its mean and its probabilities are told", ("E [ {b} ]",)),
    ("PRE (probability|chance|prob|rate) (of|for)? {b} POST", "say which values", ("P ( {b} > 1 "
     ")",)),
    ("PRE (confounders|confounder) (of|between|for) {a} (and|on) {b} {t}", "",
     ("are there hidden confounders?", "correlation of {a} and {b}")),
    ("why (was|is) {b} SO LOW POST", "say in which row", ("why was {b} low in row 5?",)),
    ("why (was|is) {b} SO HIGH POST", "say in which row", ("why was {b} high in row 5?",)),
    ("which (experiment|experiments) {t}", "", ("what should be tried next?",)),
    ("which (things|links|arrows|relations|relationships) are {t}", "",
     ("which edges are certain?",)),
)  # fmt: skip
"""(pattern, what is the matter, forms that answer): more readings than one, or none as it is."""

_ACTIVE = (
    "affect|affects|cause|causes|influence|influences|impact|impacts|drive|drives|increase|"
    "increases|raise|raises|reduce|reduces|lower|lowers|improve|improves|decrease|decreases|"
    "determine|determines|lead to|leads to|result in|results in|matter for|matters for|contribute "
    "to|contributes to|act on|acts on|work on|works on|make|makes|help|helps|boost|boosts|trigger|"
    "triggers|produce|produces|predict|predicts"
)
_PASSIVE = (
    "caused by|affected by|influenced by|impacted by|driven by|determined by|explained by|"
    "depend on|depends on|depending on|dependent on|because of|due to|owing to|result of|results "
    "from|result from|resulting from|consequence of|effect of|function of|response to|respond to|"
    "responds to|react to|reacts to|follow from|follows from|come from|comes from|produced by|"
    "triggered by|changed by|attributed to|attributable to|blamed on|when|if|whenever|predicted by"
)
_BETWEEN = (
    "(really|actually|significantly|also|directly|causally|often|strongly|ever|even|not|can|could|"
    "will|would|may|might|does|do|did|to|have|has|had|always|sometimes|usually|in fact|is|was|are|"
    "were|be|been|being|changes|change|differ|differs|different|high|higher|low|lower|mainly|"
    "mostly|partly|only|largely|a|the|an)*"
)
_BEFORE_NAME = (
    "(the|a|an|my|our|their|any|some|how|level of|levels of|value of|values of|amount of|number of|"
    "changes in|changes of|a change in|on|in|of|to|more|less|high|low|higher|lower|changing|WHO|"
    "change|set|increase)*"
)
CUES: tuple[str, ...] = (
    f"{{s}} {{a}} {_BETWEEN} ({_ACTIVE}) {_BEFORE_NAME} {{b}} {{t}}",
    f"{{s}} {{b}} {_BETWEEN} ({_PASSIVE}) {_BEFORE_NAME} {{a}} {{t}}",
    f"{{s}} (effect|effects|impact|influence|role|importance|contribution) of {_BEFORE_NAME} {{a}} "
    f"(on|upon|in|for|to) {_BEFORE_NAME} {{b}} {{t}}",
    f"{{s}} (effect|effects|impact|influence) (on|upon) {_BEFORE_NAME} {{b}} (of|from|by) "
    f"{_BEFORE_NAME} {{a}} {{t}}",
)
"""What says, somewhere in a question, which of two variables is the cause."""

WHEN_CUED = _BOTH
"""What is offered where a question cannot be read, but says which is the cause."""


def spelled_out(pattern: str) -> str:
    """A pattern without words in capitals."""
    return re.sub(r"\b[A-Z]{2,}\b", lambda m: _WORDS[m[0]], pattern)


VOCABULARY = frozenset(
    word
    for pattern in (*(entry[0] for entry in READ), *(entry[0] for entry in NAMED))
    for word in re.findall(r"[a-z]{4,}", spelled_out(pattern))
)
"""Words of the phrasings, against which spelling is checked."""
