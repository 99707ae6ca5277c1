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
        snowfall/snow-scarcity snowpack-depth/bare-ground spring-meltwater/meltwater-shortage
        river-flow/river-trickle river-level/river-shallowness levee-pressure/levee-relief
        levee-leakage/levee-tightness street-flooding/street-dryness cellar-water/cellar-dryness
        furniture-damage/furniture-soundness repair-bills/repair-savings""",
    "damp-house": """
        pipe-corrosion/pipe-soundness pipe-leakage/pipe-tightness wall-dampness/wall-dryness
        mould-growth/mould-absence spore-count/spore-scarcity airway-irritation/airway-calm
        night-coughing/quiet-nights sleep-loss/sound-sleep daytime-tiredness/daytime-alertness
        work-mistakes/work-accuracy""",
    "smoking": """
        cigarette-cheapness/cigarette-dearness cigarette-smoking/smoking-abstinence
        tar-inhalation/tar-avoidance bronchial-damage/bronchial-health
        mucus-build-up/bronchial-clearness chronic-coughing/quiet-breathing
        breathlessness/easy-breathing sick-leave/work-attendance lost-wages/steady-wages
        rent-arrears/rent-punctuality""",
    "infection": """
        crowding/spaciousness close-contact/distancing virus-exposure/virus-avoidance
        infection-rate/infection-rarity fever-cases/fever-freedom clinic-visits/clinic-quiet
        hospital-admissions/hospital-vacancies nurse-overtime/nurse-leisure
        nurse-exhaustion/nurse-vigour nursing-errors/nursing-accuracy""",
    "sport": """
        coach-diligence/coach-neglect training-hours/training-idleness heart-strength/heart-weakness
        oxygen-supply/oxygen-shortage stamina/fatigability running-speed/running-slowness
        race-wins/race-losses press-coverage/press-silence public-fame/obscurity
        autograph-requests/autograph-disinterest""",
    "traffic": """
        petrol-cheapness/petrol-dearness car-trips/car-abstinence traffic-density/empty-roads
        traffic-jams/free-flow bus-delays/bus-punctuality missed-connections/kept-connections
        late-arrivals/timely-arrivals postponed-meetings/held-meetings
        project-delays/project-progress contract-penalties/contract-bonuses""",
    "icy-roads": """
        frosty-nights/mild-nights road-ice/dry-asphalt wheel-slip/tyre-grip
        skidding/steering-control collisions/safe-passage car-damage/car-soundness
        insurance-claims/claim-freedom insurer-losses/insurer-gains premium-rises/premium-cuts
        cancelled-policies/renewed-policies""",
    "coffee": """
        plantation-frost/plantation-mildness bush-damage/bush-health bean-shortage/bean-abundance
        bean-dearness/bean-cheapness roaster-costs/roaster-savings cup-dearness/cup-cheapness
        drinker-reluctance/drinker-eagerness cafe-emptiness/cafe-fullness
        waiter-layoffs/waiter-hirings waiter-unemployment/waiter-employment""",
    "firm": """
        engineer-skill/engineer-inexperience design-quality/design-flaws
        product-reliability/product-breakdowns customer-satisfaction/customer-anger
        recommendations/warnings new-customers/lost-customers order-volume/order-drought
        sales-revenue/revenue-shortfall company-profit/company-loss
        shareholder-dividends/dividend-cuts""",
    "lake": """
        fertiliser-use/fertiliser-restraint nutrient-runoff/nutrient-retention
        lake-nutrients/lake-purity algal-bloom/algal-scarcity algal-decay/algal-absence
        oxygen-depletion/oxygen-richness fish-deaths/fish-survival heron-hunger/heron-satiety
        heron-departures/heron-residence birdwatcher-disappointment/birdwatcher-delight""",
    "bees": """
        wildflower-sowing/wildflower-neglect blossom-abundance/blossom-scarcity
        nectar-supply/nectar-dearth bee-nourishment/bee-starvation hive-strength/hive-weakness
        apple-pollination/pollination-failure apple-set/apple-drop apple-harvest/apple-shortage
        cider-production/cider-shortage tavern-cheer/tavern-gloom""",
    "forest-fire": """
        rainless-days/rainy-days litter-dryness/litter-dampness brush-flammability/brush-wetness
        fire-outbreaks/fire-quiet burnt-area/spared-area smoke-clouds/clean-air
        smoke-inhalation/smoke-avoidance asthma-attacks/asthma-calm
        ambulance-calls/ambulance-idleness emergency-queues/emergency-calm""",
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
        burner-heat/burner-coolness pan-heat/pan-coolness water-boiling/water-stillness
        steam-formation/steam-absence kitchen-humidity/kitchen-dryness
        window-condensation/window-clearness sill-wetness/sill-dryness sill-rot/sill-soundness
        window-rattling/window-firmness carpenter-calls/carpenter-idleness""",
    "factory": """
        oil-leakage/oil-tightness lubricant-shortage/lubricant-plenty gear-friction/gear-smoothness
        gear-heat/gear-coolness machine-stoppages/machine-uptime output-shortfall/output-surplus
        delivery-delays/delivery-punctuality client-annoyance/client-contentment
        cancelled-orders/renewed-orders factory-losses/factory-profits""",
    "web-shop": """
        hacker-activity/hacker-idleness bogus-requests/request-lull server-load/server-idleness
        response-delay/response-swiftness page-timeouts/page-successes
        shopper-frustration/shopper-delight abandoned-baskets/completed-purchases
        lost-sales/gained-sales shop-losses/shop-profits staff-cuts/staff-growth""",
    "earthquake": """
        fault-slippage/fault-locking earthquake-strength/earthquake-weakness
        ground-shaking/ground-stillness wall-cracking/wall-intactness
        building-collapse/building-stability homelessness/housing-security
        shelter-crowding/shelter-vacancy blanket-shortage/blanket-surplus
        night-shivering/night-cosiness donation-appeals/appeal-silence""",
    "tide": """
        moon-nearness/moon-distance tidal-pull/tidal-slackness tide-height/tide-lowness
        beach-flooding/beach-dryness dune-erosion/dune-growth path-collapse/path-stability
        walker-detours/walker-shortcuts walking-time/walking-brevity leg-tiredness/leg-freshness
        bench-resting/bench-emptiness""",
    "airline": """
        headwind/tailwind flight-duration/flight-brevity fuel-burn/fuel-saving
        fuel-expense/fuel-thrift airline-costs/airline-thrift fare-rises/fare-cuts
        traveller-reluctance/traveller-eagerness empty-seats/full-seats closed-routes/opened-routes
        pilot-redundancies/pilot-recruitment""",
    "music": """
        practice-hours/practice-neglect finger-agility/finger-clumsiness
        playing-accuracy/wrong-notes concert-quality/concert-dullness applause/booing
        critic-praise/critic-scorn ticket-demand/ticket-disinterest hall-fullness/hall-emptiness
        ticket-takings/ticket-shortfall orchestra-wealth/orchestra-poverty""",
    "sleep": """
        evening-coffee/evening-decaf caffeine-level/caffeine-absence
        evening-wakefulness/evening-drowsiness bedtime-lateness/bedtime-earliness
        sleep-shortage/sleep-plenty morning-grogginess/morning-freshness
        missed-alarms/heeded-alarms work-lateness/work-punctuality boss-irritation/boss-approval
        promotion-refusals/promotion-offers""",
    "wind-power": """
        wind-strength/wind-calm turbine-speed/turbine-slowness power-output/power-shortfall
        battery-charge/battery-depletion lamp-brightness/lamp-dimness
        book-legibility/book-illegibility reading-progress/reading-delay
        story-knowledge/story-ignorance quiz-score/quiz-errors trophy-count/trophy-lack""",
    "voyage": """
        storm-winds/gentle-winds wave-height/wave-flatness ship-rolling/ship-steadiness
        seasickness/sea-legs crew-weakness/crew-vigour steering-mistakes/steering-accuracy
        course-errors/course-precision voyage-length/voyage-shortness
        galley-shortage/galley-plenty crew-hunger/crew-satiety""",
}


def _parsed(chain: str) -> tuple[tuple[str, str], ...]:
    return tuple((more, less) for more, _, less in (pair.partition("/") for pair in chain.split()))


THEMES: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {name: _parsed(chain) for name, chain in _CHAINS.items()}
)
"""Variables of each theme, earlier ones bringing about later ones, as (pole, opposite pole): more
of the first pole of a variable means more of the first pole of every later one. Chains without
feedback worth naming; every word occurs once in all of them."""
