package org.glmtuner.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.glmtuner.topology.Topology.Core;
import org.junit.jupiter.api.Test;

class TopologyTest {
  @Test
  void aRestrictedHostKeepsItsMemory() {
    Topology host = Hosts.xeonMax().restrictedTo(List.of(7, 8, 71));
    assertThat(host.cpus()).containsExactly(7, 8, 71);
    assertThat(host.clusters()).hasSize(2);
    assertThat(host.clusters().get(0).cores()).containsExactly(new Core(List.of(7, 71), 0));
    assertThat(host.clusters().get(1).nodes()).containsExactly(1, 9);
    assertThat(host.memory()).isEqualTo(Hosts.xeonMax().memory());
  }

  @Test
  void aHostWithoutCpusIsNone() {
    assertThatThrownBy(() -> Hosts.oneNode(0, 1).restrictedTo(List.of(2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Invalid topology: it has no CPU that may be used");
  }

  @Test
  void nodesAreFoundByNumber() {
    assertThat(Hosts.xeonMax().node(8).kind()).isEqualTo(Topology.Kind.HBM);
    assertThatThrownBy(() -> Hosts.xeonMax().node(16))
        .hasMessage("Invalid NUMA node: 16 (unknown)");
  }
}
