"""Ask what would make a network faster.

Each parameter of the bus and of the NPU's DMA is lowered and raised alone, and the schedule is made
anew each time. Prints the answer in a sentence, then the parameters that matter most.
"""

import hetsim
from hetsim.study.whatif.result import sentence

scenario = hetsim.load_scenario("paper_one", {"soc": "edge-mcu"})
study = hetsim.whatif(scenario, only=["bus", "npu.dma"])
for network in study.networks:
    print(sentence(network, study.soc))
    for found in network.sensitivities[:3]:
        print(f"  {found.knob.name}: up to {found.gain:.2f} times as fast")
