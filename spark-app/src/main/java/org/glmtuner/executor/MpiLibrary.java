package org.glmtuner.executor;

import java.io.IOException;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.glmtuner.config.MpiConfig;
import org.glmtuner.config.MpiPreset;
import org.glmtuner.config.MpiPreset.Placeholder;
import org.glmtuner.config.PortRange;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/**
 * The MPI library of the ranks on this host, found usable before any of them starts.
 *
 * @param environment that ranks need for it
 */
record MpiLibrary(Path path, MpiProbe probe, Map<String, String> environment) {
  private static final Path LIB = Path.of("lib");

  /** Where installations of Intel MPI have their libfabric, below their root. */
  private static final List<String> LIBFABRICS =
      List.of(
          "lib/libfabric/libfabric.so.1", // PyPI
          "opt/mpi/libfabric/lib/libfabric.so.1", // oneAPI
          "libfabric/lib/libfabric.so.1"); // oneAPI before 2021.11

  /**
   * Finds and probes the configured library.
   *
   * @throws TunerException (exit code 3) where the host has no such library, or none that works, or
   *     no such network interface, or no way to tell the library which network to use
   */
  static MpiLibrary provide(MpiConfig config, NativeLibraries libraries)
      throws IOException, InterruptedException {
    Path path = locate(config.library(), libraries, MpiPlaces.of(System.getenv()));
    checkInterface(config.network().device());
    MpiProbe probe = MpiProbe.of(libraries.mpiProbe(), path, config.environment());
    Path libfabric = libfabric(path, libraries.defaultLibfabric());
    MpiPreset preset = preset(config.presets(), probe.version());
    checkNetwork(config.network(), preset, path, probe.version());
    Map<String, String> environment =
        new TreeMap<>(preset.fill(placeholders(config.network(), path, libfabric)));
    environment.putAll(config.environment());
    return new MpiLibrary(path, probe, Map.copyOf(environment));
  }

  static Path locate(String library, NativeLibraries libraries, MpiPlaces places) {
    if (library.isEmpty()) {
      return libraries.defaultMpi();
    }
    return MpiConfig.NAMES.contains(library) ? places.find(library) : Path.of(library);
  }

  /** The one that suits what the library calls itself. */
  static MpiPreset preset(MpiConfig.Presets presets, String version) {
    return switch (kind(version)) {
      case "mpich" -> presets.mpich();
      case "intel" -> presets.intel();
      default -> presets.other();
    };
  }

  /** The last part of the preset's key. */
  private static String kind(String version) {
    if (version.startsWith("MPICH")) {
      return "mpich";
    }
    return version.startsWith("Intel") ? "intel" : "other";
  }

  static Map<Placeholder, String> placeholders(
      MpiConfig.Network network, Path library, Path libfabric) {
    Map<Placeholder, String> values = new EnumMap<>(Placeholder.class);
    values.put(Placeholder.INTERFACE, network.device());
    PortRange ports = network.ports();
    if (!ports.equals(PortRange.ANY)) {
      values.put(Placeholder.PORT_RANGE, ports.format());
      values.put(Placeholder.FIRST_PORT, Integer.toString(ports.first()));
      values.put(Placeholder.LAST_PORT, Integer.toString(ports.last()));
    }
    values.put(Placeholder.ROOT, root(library).toString());
    values.put(Placeholder.LIBFABRIC, libfabric.toString());
    Path providers = libfabric.resolveSibling("prov");
    if (Files.isDirectory(providers)) {
      values.put(Placeholder.PROVIDERS, providers.toString());
    }
    return values;
  }

  static Path libfabric(Path library, Path otherwise) {
    return LIBFABRICS.stream()
        .map(root(library)::resolve)
        .filter(Files::exists)
        .findFirst()
        .orElse(otherwise);
  }

  /** The directory above {@code lib}, or that of the library itself. */
  private static Path root(Path library) {
    Path directory = library.getParent();
    while (directory != null && !LIB.equals(directory.getFileName())) {
      directory = directory.getParent();
    }
    return directory == null ? library.getParent() : directory.getParent();
  }

  /**
   * What nobody tells the library would have no effect, and ranks wait behind a firewall.
   *
   * @throws TunerException (exit code 3) naming the key and the group where a variable belongs
   */
  static void checkNetwork(
      MpiConfig.Network network, MpiPreset preset, Path library, String version) {
    if (!network.device().isEmpty() && !preset.speaksOf(Placeholder.INTERFACE)) {
      throw unheard("mpi.interface", Placeholder.INTERFACE, library, version);
    }
    if (!network.ports().equals(PortRange.ANY)
        && !preset.speaksOf(
            Placeholder.PORT_RANGE, Placeholder.FIRST_PORT, Placeholder.LAST_PORT)) {
      throw unheard("mpi.port-range", Placeholder.PORT_RANGE, library, version);
    }
  }

  private static TunerException unheard(
      String key, Placeholder placeholder, Path library, String version) {
    return new TunerException(
        ExitCode.UNSUITABLE,
        "Cannot use "
            + key
            + " with the MPI library "
            + library
            + ", "
            + version
            + ": no variable in its preset takes it (name one in the configuration, such as mpi.presets."
            + kind(version)
            + ".NAME = \"{"
            + placeholder.key()
            + "}\")");
  }

  /**
   * Libraries pass over an interface that is not there.
   *
   * @throws TunerException (exit code 3) with those that are there
   */
  static void checkInterface(String name) throws IOException {
    if (!name.isEmpty() && NetworkInterface.getByName(name) == null) {
      try (Stream<NetworkInterface> known = NetworkInterface.networkInterfaces()) {
        throw new TunerException(
            ExitCode.UNSUITABLE,
            "Cannot use the network interface "
                + name
                + " (mpi.interface): "
                + HostIdentity.read().name()
                + " has "
                + known.map(NetworkInterface::getName).sorted().collect(Collectors.joining(", ")));
      }
    }
  }
}
