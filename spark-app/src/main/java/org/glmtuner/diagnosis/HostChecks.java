package org.glmtuner.diagnosis;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** What a host is asked without starting anything. */
public final class HostChecks {
  /** Of the instructions that matter, as the kernel calls them. */
  private static final List<String> INSTRUCTIONS =
      List.of("avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16");

  private static final List<String> LEAST_INSTRUCTIONS = List.of("avx2", "fma");

  /** Governors that run a CPU that works at its full speed. */
  private static final Set<String> FAST = Set.of("performance", "schedutil", "ondemand");

  private static final Set<String> OWN_FREQUENCIES =
      Set.of("intel_pstate", "amd-pstate-epp", "amd_pstate_epp");

  /**
   * What MPI takes of /dev/shm for each rank of a host. Measured with 2 to 16 ranks that sum a
   * gradient: the bundled MPICH takes 5.4 MB, Intel MPI 2021.14 up to 4.2.
   */
  private static final long SHARED_BYTES = 6_000_000;

  private static final long LEAST_FILES = 1024;
  private static final long LEAST_PROCESSES = 1024;
  private static final double GIGA = 1e9;
  private static final double MEGA = 1e6;

  private final LinuxFiles linux;
  private final Findings findings;

  public HostChecks(Findings findings) {
    this(LinuxFiles.here(), findings);
  }

  /** Of what is below {@code root}. */
  HostChecks(Path root, Findings findings) {
    this(new LinuxFiles(root), findings);
  }

  private HostChecks(LinuxFiles linux, Findings findings) {
    this.linux = linux;
    this.findings = findings;
  }

  /** All that need no numbers from elsewhere. */
  public void all() {
    cpu();
    hugePages();
    frequencies();
    limits();
  }

  void cpu() {
    Set<String> flags = linux.cpuFlags();
    List<String> known = INSTRUCTIONS.stream().filter(flags::contains).toList();
    String found = linux.cpuModel().orElse("unknown CPU") + "; " + String.join(" ", known);
    if (flags.containsAll(LEAST_INSTRUCTIONS)) {
      findings.ok("cpu", found);
    } else {
      findings.warning(
          "cpu",
          found + (known.isEmpty() ? "neither AVX2 nor FMA" : "; AVX2 or FMA is missing"),
          "take hosts with AVX2: without it products are those of libtorch, several times slower (a virtual machine may hide it)");
    }
  }

  /** The engine asks for huge pages by madvise. */
  void hugePages() {
    Optional<String> mode = linux.choice("sys/kernel/mm/transparent_hugepage/enabled");
    if (mode.isEmpty()) {
      findings.skipped("huge pages", "this kernel does not say whether it has them");
    } else if (mode.get().equals("never")) {
      findings.warning(
          "huge pages",
          "transparent huge pages: never",
          "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled: products read faster from huge pages");
    } else {
      findings.ok("huge pages", "transparent huge pages: " + mode.get());
    }
  }

  void frequencies() {
    Set<String> governors = linux.governors();
    Optional<String> driver = linux.frequencyDriver();
    if (governors.isEmpty()) {
      findings.skipped("governor", "not to be seen here, as in most virtual machines");
      return;
    }
    String found = String.join(", ", governors) + driver.map(name -> " (" + name + ")").orElse("");
    boolean fast =
        FAST.containsAll(governors) || driver.filter(OWN_FREQUENCIES::contains).isPresent();
    if (fast) {
      findings.ok("governor", found);
    } else {
      findings.warning(
          "governor",
          found,
          "cpupower frequency-set -g performance: ranks compute without a pause");
    }
  }

  void limits() {
    List<String> low = new ArrayList<>();
    Optional<Long> files = linux.limit("Max open files").filter(most -> most < LEAST_FILES);
    files.ifPresent(most -> low.add("open files " + most + " (ulimit -n " + LEAST_FILES + ")"));
    Optional<Long> processes = linux.limit("Max processes").filter(most -> most < LEAST_PROCESSES);
    processes.ifPresent(
        most -> low.add("threads " + most + " (ulimit -u " + LEAST_PROCESSES + ")"));
    Optional<Long> space = linux.limit("Max address space");
    space.ifPresent(most -> low.add("address space " + most + " (ulimit -v unlimited)"));
    Optional<Long> data = linux.limit("Max data size");
    data.ifPresent(most -> low.add("data " + most + " (ulimit -d unlimited)"));
    if (low.isEmpty()) {
      findings.ok("limits", "files, threads and memory are enough; locked memory " + locked());
    } else if (space.isPresent()) {
      findings.problem(
          "limits", String.join(", ", low), "raise them: weights are mapped as a whole");
    } else {
      findings.warning(
          "limits", String.join(", ", low), "raise them for the user of the executors");
    }
  }

  /** Fast networks pin what they send. */
  private String locked() {
    return linux
        .limit("Max locked memory")
        .map(most -> String.format(Locale.ROOT, "%.0f MB", most / MEGA))
        .orElse("unlimited");
  }

  /**
   * Whether the ranks of this host can share memory for MPI.
   *
   * @param free bytes; negative where there is no such directory
   * @param ranks that are to run on this host
   */
  public void sharedMemory(long free, int ranks) {
    long needed = ranks * SHARED_BYTES;
    if (free < 0) {
      findings.problem(
          "/dev/shm",
          "it does not exist",
          "mount a tmpfs there: ranks of one host talk through it");
      return;
    }
    Map<String, Double> values = room(free, needed);
    String found =
        String.format(
            Locale.ROOT,
            "%.0f MB free, %s %.0f MB",
            free / MEGA,
            ranks == 1 ? "a rank needs" : ranks + " ranks need",
            needed / MEGA);
    if (free < needed) {
      findings.problem(
          "/dev/shm",
          found,
          "give the container more (docker: --shm-size; Kubernetes: an emptyDir of medium Memory at /dev/shm), or start fewer ranks on a host",
          values);
    } else {
      findings.ok("/dev/shm", found, values);
    }
  }

  /**
   * Whether the cache directory has room for the weights.
   *
   * @param free bytes
   * @param needed bytes that are still to be written; 0 if not known
   */
  public void cache(Path directory, long free, long needed) {
    Map<String, Double> values = room(free, needed);
    String found =
        String.format(
            Locale.ROOT,
            "%s can be written, %.1f GB free%s",
            directory,
            free / GIGA,
            needed > 0
                ? String.format(Locale.ROOT, ", the weights need %.1f GB", needed / GIGA)
                : "");
    Optional<Long> file = linux.limit("Max file size").filter(most -> most < needed);
    if (free < needed) {
      findings.problem(
          "cache", found, "make room there, or set cache.directory to another disk", values);
    } else if (file.isPresent()) {
      findings.problem(
          "cache",
          found + "; files may have " + file.get() + " bytes",
          "ulimit -f unlimited",
          values);
    } else {
      findings.ok("cache", found, values);
    }
  }

  private static Map<String, Double> room(long free, long needed) {
    Map<String, Double> values = new TreeMap<>();
    values.put("free_bytes", (double) free);
    values.put("needed_bytes", (double) needed);
    return values;
  }
}
