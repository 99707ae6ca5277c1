"""Adapters to other packages' simulators, where they are installed."""

import http.server
import json
import threading

import pytest

from seedo.worlds.external import EndpointError, open_endpoint

SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
<model id="chain" timeUnits="second">
<listOfCompartments><compartment id="cell" size="1" constant="true" spatialDimensions="3"/>
</listOfCompartments>
<listOfSpecies>
<species id="A" compartment="cell" initialConcentration="10" hasOnlySubstanceUnits="false"
 boundaryCondition="false" constant="false"/>
<species id="B" compartment="cell" initialConcentration="0" hasOnlySubstanceUnits="false"
 boundaryCondition="false" constant="false"/>
</listOfSpecies>
<listOfParameters><parameter id="k" value="0.05" constant="true"/></listOfParameters>
<listOfReactions><reaction id="r" reversible="false" fast="false">
<listOfReactants><speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants>
<listOfProducts><speciesReference species="B" stoichiometry="1" constant="true"/></listOfProducts>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>k</ci><ci>A</ci>
<ci>cell</ci></apply></math></kineticLaw></reaction></listOfReactions>
</model></sbml>
"""


def test_the_temperature_control_lab():
    pytest.importorskip("tclab")
    with open_endpoint("tclab") as lab:
        assert list(lab.spec()["knobs"]) == ["Q1", "Q2"]
        cold = lab.run({"Q1": 0, "Q2": 0}, ["T1", "T2"], seed=1)
        hot = lab.run({"Q1": 60, "Q2": 0}, ["T1", "T2"], seed=1)
        again = lab.run({"Q1": 60, "Q2": 0}, ["T1", "T2"], seed=1)
    assert cold == pytest.approx({"T1": 21, "T2": 21}, abs=0.5)
    assert hot == again
    assert hot["T1"] > hot["T2"] + 5 > 30  # the second sensor feels the first heater
    with open_endpoint("tclab:0") as lab, pytest.raises(EndpointError, match="1 to 100000 seconds"):
        lab.spec()


def test_the_wind_tunnel():
    pytest.importorskip("causalchamber")
    with open_endpoint("chamber:wind") as chamber:
        readings = list(chamber.spec()["readings"])
        still = chamber.run({"load_in": 0.0, "load_out": 0.0, "hatch": 0.0}, readings, seed=1)
        blown = chamber.run({"load_in": 1.0, "load_out": 0.0, "hatch": 0.0}, readings, seed=1)
    assert blown["rpm_in"] == pytest.approx(3000, rel=0.01)
    assert blown["pressure_downwind"] > still["pressure_downwind"] + 5


def test_the_light_tunnel():
    pytest.importorskip("causalchamber")
    setting = {"red": 200.0, "green": 100.0, "blue": 0.0, "pol_1": 0.0, "pol_2": 0.0}
    with open_endpoint("chamber:light") as chamber:
        readings = chamber.spec()["readings"]
        open_ = chamber.run(setting, readings, seed=1)
        crossed = chamber.run(setting | {"pol_2": 90.0}, readings, seed=1)
    assert crossed["vis_3"] < 0.3 * open_["vis_3"]  # behind both polarisers
    assert crossed["vis_1"] == open_["vis_1"]  # before them
    with (
        open_endpoint("chamber:rain") as chamber,
        pytest.raises(EndpointError, match="use chamber"),
    ):
        chamber.spec()


class Laboratory(http.server.BaseHTTPRequestHandler):
    """The two calls of the makers' interface that a run needs."""

    def do_POST(self):
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append((self.path, given, self.headers["Authorization"]))
        if self.path == "/v0/sessions":
            told = ("session_id", "chamber_model", "config_version", "documentation",
                    "codebase_version")  # fmt: skip
            self.answer("application/json", json.dumps(dict.fromkeys(told, "s1")))
            return
        values = [line.split(",") for line in given["instructions"]]
        red = next(float(v[2]) for v in values if v[:2] == ["SET", "red"])
        rows = f"config,red,ir_1\nstd,{red},{2 * red}\n"
        text = f"--xx\r\nContent-Type: text/csv\r\n\r\n{rows}\r\n--xx--"
        self.answer("multipart/mixed; boundary=xx", text)

    def answer(self, kind, text):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def test_a_remote_chamber_against_a_server_of_our_own(tmp_path):
    pytest.importorskip("causalchamber")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Laboratory)
    server.heard = []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    (tmp_path / "keys.ini").write_text("[api_keys]\nuser = u\npassword = p\n")
    file = tmp_path / "tunnel.json"
    told = {"chamber_id": "lt-1", "config": "standard", "credentials_file": "keys.ini", "wait": 5,
            "endpoint": f"http://127.0.0.1:{server.server_address[1]}/v0",
            "knobs": {"red": {"low": 0, "high": 255}}, "goals": {"ir_1": "maximize"}}  # fmt: skip
    file.write_text(json.dumps(told))
    try:
        with open_endpoint(f"chamber:{file}") as chamber:
            assert chamber.run({"red": 100.0}, ["ir_1"]) == {"ir_1": 200.0}
    finally:
        server.shutdown()
        server.server_close()
    file.write_text("{}")
    with open_endpoint(f"chamber:{file}") as chamber, pytest.raises(EndpointError, match="missing"):
        chamber.spec()
    assert server.heard[1][1]["instructions"] == ["SET,red,100.0", "WAIT,5", "MSR,1,0"]
    assert server.heard[0][2].startswith("Basic ")


def test_knock_outs_of_a_metabolic_model():
    pytest.importorskip("cobra")
    with open_endpoint("cobra:textbook?knockouts=PGI,ENO") as cell:
        assert cell.spec()["knobs"]["PGI"] == {"type": "categorical", "levels": ["on", "off"]}
        wild = {"PGI": "on", "ENO": "on", "glucose": 10.0, "oxygen": 40.0}
        growth = [
            cell.run(wild | change, ["growth"])["growth"]
            for change in ({}, {"PGI": "off"}, {"ENO": "off"}, {"oxygen": 0.0})
        ]
    assert growth[0] == pytest.approx(0.8739, abs=1e-3)  # the model's published rate
    assert growth[0] > growth[1] > 0.8
    assert growth[2] == 0  # without enolase on glucose it dies
    assert growth[3] == pytest.approx(0.2117, abs=1e-3)  # without oxygen
    for name, told in (("cobra:nobody", "brings no model"), ("cobra:textbook?drug=1", "only")):
        with open_endpoint(name) as cell, pytest.raises(EndpointError, match=told):
            cell.spec()


def test_a_model_of_reactions(tmp_path):
    pytest.importorskip("roadrunner")
    file = tmp_path / "chain.xml"
    file.write_text(SBML)
    with open_endpoint(f"sbml:{file}?time=10") as model:
        assert model.spec()["knobs"] == {"k": {"type": "real", "low": 0.005, "high": 0.5}}
        slow, fast = (model.run({"k": k}, ["A", "B"]) for k in (0.05, 0.2))
    assert slow["A"] == pytest.approx(10 * 2.718281828**-0.5, rel=1e-4)
    assert fast["B"] == pytest.approx(10 - 10 * 2.718281828**-2, rel=1e-4)
    with open_endpoint(f"sbml:{file}?knobs=A&time=10&goal=B") as model:
        assert model.run({"A": 20.0}, ["A"])["A"] == pytest.approx(20 * 2.718281828**-0.5, rel=1e-4)
    for name, told in (("sbml:none.xml", "no such file"), (f"sbml:{file}?knobs=z", "knobs=z")):
        with open_endpoint(name) as model, pytest.raises(EndpointError, match=told):
            model.spec()
