"""Everyday chains of cause and effect that most readers know."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_CHAINS = {
    "rain": """
        sea-warmth/sea-coldness air-humidity/air-dryness rain-clouds/clear-skies rainfall/drought
        soil-moisture/soil-dryness seed-germination/seed-failure leaf-growth/leaf-wilting
        grain-yield/crop-failure barn-stocks/barn-emptiness bread-supply/bread-shortage""",
    "flood": """
        snow-scarcity/snowfall bare-ground/snowpack-depth meltwater-shortage/spring-meltwater
        river-trickle/river-flow river-shallowness/river-level levee-relief/levee-pressure
        levee-tightness/levee-leakage street-dryness/street-flooding cellar-dryness/cellar-water
        furniture-soundness/furniture-damage repair-savings/repair-bills""",
    "damp-house": """
        pipe-soundness/pipe-corrosion pipe-tightness/pipe-leakage wall-dryness/wall-dampness
        mould-absence/mould-growth spore-scarcity/spore-count airway-calm/airway-irritation
        quiet-nights/night-coughing sound-sleep/sleep-loss daytime-alertness/daytime-tiredness
        work-accuracy/work-mistakes""",
    "smoking": """
        cigarette-dearness/cigarette-cheapness smoking-abstinence/cigarette-smoking
        tar-avoidance/tar-inhalation bronchial-health/bronchial-damage
        bronchial-clearness/mucus-build-up quiet-breathing/chronic-coughing
        easy-breathing/breathlessness work-attendance/sick-leave steady-wages/lost-wages
        rent-punctuality/rent-arrears""",
    "infection": """
        spaciousness/crowding distancing/close-contact virus-avoidance/virus-exposure
        infection-rarity/infection-rate fever-freedom/fever-cases clinic-quiet/clinic-visits
        hospital-vacancies/hospital-admissions nurse-leisure/nurse-overtime
        nurse-vigour/nurse-exhaustion nursing-accuracy/nursing-errors""",
    "sport": """
        coach-diligence/coach-neglect training-hours/training-idleness heart-strength/heart-weakness
        oxygen-supply/oxygen-shortage stamina/fatigability running-speed/running-slowness
        race-wins/race-losses press-coverage/press-silence public-fame/obscurity
        autograph-requests/autograph-disinterest""",
    "traffic": """
        petrol-dearness/petrol-cheapness car-abstinence/car-trips empty-roads/traffic-density
        free-flow/traffic-jams bus-punctuality/bus-delays kept-connections/missed-connections
        timely-arrivals/late-arrivals held-meetings/postponed-meetings
        project-progress/project-delays contract-bonuses/contract-penalties""",
    "icy-roads": """
        mild-nights/frosty-nights dry-asphalt/road-ice tyre-grip/wheel-slip
        steering-control/skidding safe-passage/collisions car-soundness/car-damage
        claim-freedom/insurance-claims insurer-gains/insurer-losses premium-cuts/premium-rises
        renewed-policies/cancelled-policies""",
    "coffee": """
        plantation-mildness/plantation-frost bush-health/bush-damage bean-abundance/bean-shortage
        bean-cheapness/bean-dearness roaster-savings/roaster-costs cup-cheapness/cup-dearness
        drinker-eagerness/drinker-reluctance cafe-fullness/cafe-emptiness
        waiter-hirings/waiter-layoffs waiter-employment/waiter-unemployment""",
    "firm": """
        engineer-skill/engineer-inexperience design-quality/design-flaws
        product-reliability/product-breakdowns customer-satisfaction/customer-anger
        recommendations/warnings new-customers/lost-customers order-volume/order-drought
        sales-revenue/revenue-shortfall company-profit/company-loss
        shareholder-dividends/dividend-cuts""",
    "lake": """
        fertiliser-restraint/fertiliser-use nutrient-retention/nutrient-runoff
        lake-purity/lake-nutrients algal-scarcity/algal-bloom algal-absence/algal-decay
        oxygen-richness/oxygen-depletion fish-survival/fish-deaths heron-satiety/heron-hunger
        heron-residence/heron-departures birdwatcher-delight/birdwatcher-disappointment""",
    "bees": """
        wildflower-sowing/wildflower-neglect blossom-abundance/blossom-scarcity
        nectar-supply/nectar-dearth bee-nourishment/bee-starvation hive-strength/hive-weakness
        apple-pollination/pollination-failure apple-set/apple-drop apple-harvest/apple-shortage
        cider-production/cider-shortage tavern-cheer/tavern-gloom""",
    "forest-fire": """
        rainy-days/rainless-days litter-dampness/litter-dryness brush-wetness/brush-flammability
        fire-quiet/fire-outbreaks spared-area/burnt-area clean-air/smoke-clouds
        smoke-avoidance/smoke-inhalation asthma-calm/asthma-attacks
        ambulance-idleness/ambulance-calls emergency-calm/emergency-queues""",
    "school": """
        parental-reading/parental-silence child-vocabulary/word-poverty
        reading-skill/reading-difficulty textbook-understanding/textbook-confusion
        exam-marks/exam-failures school-certificates/school-dropout
        university-places/university-rejections completed-degrees/abandoned-degrees
        high-salaries/low-salaries retirement-savings/retirement-need""",
    "bread": """
        yeast-amount/yeast-scarcity dough-fermentation/dough-inertness dough-bubbles/dough-denseness
        dough-rise/dough-flatness loaf-height/loaf-lowness crumb-lightness/crumb-heaviness
        bread-tastiness/bread-blandness eater-praise/eater-grumbling bakery-queues/bakery-emptiness
        bakery-takings/bakery-shortfall""",
    "kitchen": """
        burner-coolness/burner-heat pan-coolness/pan-heat water-stillness/water-boiling
        steam-absence/steam-formation kitchen-dryness/kitchen-humidity
        window-clearness/window-condensation sill-dryness/sill-wetness sill-soundness/sill-rot
        window-firmness/window-rattling carpenter-idleness/carpenter-calls""",
    "factory": """
        oil-tightness/oil-leakage lubricant-plenty/lubricant-shortage gear-smoothness/gear-friction
        gear-coolness/gear-heat machine-uptime/machine-stoppages output-surplus/output-shortfall
        delivery-punctuality/delivery-delays client-contentment/client-annoyance
        renewed-orders/cancelled-orders factory-profits/factory-losses""",
    "web-shop": """
        hacker-idleness/hacker-activity request-lull/bogus-requests server-idleness/server-load
        response-swiftness/response-delay page-successes/page-timeouts
        shopper-delight/shopper-frustration completed-purchases/abandoned-baskets
        gained-sales/lost-sales shop-profits/shop-losses staff-growth/staff-cuts""",
    "earthquake": """
        fault-locking/fault-slippage earthquake-weakness/earthquake-strength
        ground-stillness/ground-shaking wall-intactness/wall-cracking
        building-stability/building-collapse housing-security/homelessness
        shelter-vacancy/shelter-crowding blanket-surplus/blanket-shortage
        night-cosiness/night-shivering appeal-silence/donation-appeals""",
    "tide": """
        moon-distance/moon-nearness tidal-slackness/tidal-pull tide-lowness/tide-height
        beach-dryness/beach-flooding dune-growth/dune-erosion path-stability/path-collapse
        walker-shortcuts/walker-detours walking-brevity/walking-time leg-freshness/leg-tiredness
        bench-emptiness/bench-resting""",
    "airline": """
        tailwind/headwind flight-brevity/flight-duration fuel-saving/fuel-burn
        fuel-thrift/fuel-expense airline-thrift/airline-costs fare-cuts/fare-rises
        traveller-eagerness/traveller-reluctance full-seats/empty-seats opened-routes/closed-routes
        pilot-recruitment/pilot-redundancies""",
    "music": """
        practice-hours/practice-neglect finger-agility/finger-clumsiness
        playing-accuracy/wrong-notes concert-quality/concert-dullness applause/booing
        critic-praise/critic-scorn ticket-demand/ticket-disinterest hall-fullness/hall-emptiness
        ticket-takings/ticket-shortfall orchestra-wealth/orchestra-poverty""",
    "sleep": """
        evening-decaf/evening-coffee caffeine-absence/caffeine-level
        evening-drowsiness/evening-wakefulness bedtime-earliness/bedtime-lateness
        sleep-plenty/sleep-shortage morning-freshness/morning-grogginess heeded-alarms/missed-alarms
        work-punctuality/work-lateness boss-approval/boss-irritation
        promotion-offers/promotion-refusals""",
    "wind-power": """
        wind-strength/wind-calm turbine-speed/turbine-slowness power-output/power-shortfall
        battery-charge/battery-depletion lamp-brightness/lamp-dimness
        book-legibility/book-illegibility reading-progress/reading-delay
        story-knowledge/story-ignorance quiz-score/quiz-errors trophy-count/trophy-lack""",
    "voyage": """
        gentle-winds/storm-winds wave-flatness/wave-height ship-steadiness/ship-rolling
        sea-legs/seasickness crew-vigour/crew-weakness steering-accuracy/steering-mistakes
        course-precision/course-errors voyage-shortness/voyage-length galley-plenty/galley-shortage
        crew-satiety/crew-hunger""",
}


def _parsed(chain: str) -> tuple[tuple[str, str], ...]:
    return tuple((more, less) for more, _, less in (pair.partition("/") for pair in chain.split()))


THEMES: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {name: _parsed(chain) for name, chain in _CHAINS.items()}
)
"""Variables of each theme, earlier ones bringing about later ones, as (pole, opposite pole): more
of the first pole of a variable means more of the first pole of every later one. Chains without
feedback worth naming; first poles that nobody minds raising, since goals are called by them; every
word occurs once in all of them."""
