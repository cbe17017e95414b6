package org.glmtuner.executor;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.glmtuner.config.RanksConfig;
import org.glmtuner.topology.CpuGroup;
import org.glmtuner.topology.CpuList;

/**
 * The command line and the environment of a rank's process: bound before its JVM has a thread, and
 * clean of what a launcher may have left behind.
 */
record RankLaunch(List<String> command, Map<String, String> environment) {
  private static final String MAIN = "org.glmtuner.rank.RankMain";

  /** What passes from the executor to the rank; anything else, credentials included, does not. */
  static final List<String> INHERITED =
      List.of("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR", "TZ");

  /**
   * Plans a process.
   *
   * @param socket where the rank finds its task
   * @param claims where it locks its CPUs
   */
  static RankLaunch of(
      RanksConfig.Jvm jvm,
      Map<String, String> mpiEnvironment,
      Binding binding,
      NativeLibraries libraries,
      Path socket,
      Path claims) {
    Path home = Path.of(jvm.home().isEmpty() ? System.getProperty("java.home") : jvm.home());
    CpuGroup group = binding.group();
    List<String> command = new ArrayList<>(binding.command());
    command.add(home.resolve("bin/java").toString());
    command.add("-Xmx" + jvm.heap());
    // Little Java runs in a rank: a small, quickly started JVM leaves the cores to native code.
    command.addAll(
        List.of(
            "-XX:+UseSerialGC",
            "-Xmn16m",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "-XX:+ExitOnOutOfMemoryError"));
    command.add("-XX:ErrorFile=/proc/self/fd/2");
    command.add("-Dfile.encoding=UTF-8");
    command.add("-Dai.djl.pytorch.graph_optimizer=false");
    command.add("-Dai.djl.pytorch.num_threads=" + group.threads());
    command.add("-Dai.djl.pytorch.num_interop_threads=1");
    command.add("-Dslf4j.provider=org.slf4j.simple.SimpleServiceProvider");
    command.add("-Dslf4j.internal.verbosity=WARN");
    command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    command.addAll(jvm.options());
    command.addAll(List.of("-cp", classPath(), MAIN));
    command.addAll(
        List.of(
            socket.toString(),
            libraries.nativeDdp().toString(),
            claims.toString(),
            CpuList.format(group.claimed()),
            Long.toString(ProcessHandle.current().pid())));

    Map<String, String> environment = new TreeMap<>();
    for (String name : INHERITED) {
      if (System.getenv(name) != null) {
        environment.put(name, System.getenv(name));
      }
    }
    environment.put("PYTORCH_LIBRARY_PATH", libraries.torchDirectory().toString());
    environment.put("OMP_NUM_THREADS", Integer.toString(group.threads()));
    environment.put("DJL_OFFLINE", "true");
    environment.put("OPT_OUT_TRACKING", "true");
    environment.putAll(mpiEnvironment);
    return new RankLaunch(List.copyOf(command), Map.copyOf(environment));
  }

  /** The application jar alone, or in a checkout's tests whatever the JVM runs with. */
  private static String classPath() {
    String location =
        RankLaunch.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    return location.endsWith(".jar") ? location : System.getProperty("java.class.path");
  }
}
