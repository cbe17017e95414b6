package org.glmtuner.config;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * {@code mpi}: the library of the process group.
 *
 * @param library absolute path on the executors' hosts, one of {@link #NAMES}, or empty for the
 *     bundled MPICH
 * @param environment more environment variables of the ranks, which win over the presets
 */
public record MpiConfig(
    String library, Network network, Presets presets, Map<String, String> environment)
    implements Serializable {
  /** Libraries that are looked for on each host. */
  public static final List<String> NAMES = List.of("intel", "mpich");

  /**
   * Where connections between ranks go; the presets say so to the library.
   *
   * @param device the kernel's name of a network interface ({@code mpi.interface}); empty for any
   */
  public record Network(String device, PortRange ports) implements Serializable {}

  /** Environment variables for ranks, by what library they load. */
  public record Presets(MpiPreset mpich, MpiPreset intel, MpiPreset other)
      implements Serializable {}

  static MpiConfig read(Section section) {
    return new MpiConfig(
        section.text(
            "library",
            value -> value.isEmpty() || value.startsWith("/") || NAMES.contains(value),
            "empty, " + String.join(", ", NAMES) + " or an absolute path"),
        new Network(section.text("interface"), section.ports("port-range")),
        new Presets(
            MpiPreset.read(section, "presets.mpich"),
            MpiPreset.read(section, "presets.intel"),
            MpiPreset.read(section, "presets.other")),
        section.textMap("environment"));
  }
}
