package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.glmtuner.OwnCache;
import org.glmtuner.storage.PrivateDirectory;

/**
 * A run of {@code spark-app/bin/glm-tuner}, as a user starts it, with a Spark home of its own so
 * that its executors' directories go with the test.
 */
public final class Submission implements AutoCloseable {
  /** JVMs that live for seconds: what they would compile better costs more than it gives. */
  private static final String QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

  private final Process process;
  private final Path out;
  private final Path err;
  private final Path spark;

  private Submission(Process process, Path spark, Path out, Path err) {
    this.process = process;
    this.spark = spark;
    this.out = out;
    this.err = err;
  }

  /** How a submission is started. */
  public static final class Builder {
    private final Path directory;
    private final List<String> arguments = new ArrayList<>();
    private final Map<String, String> settings = new TreeMap<>();
    private final Map<String, String> environment = new TreeMap<>();
    private final List<String> launcher = new ArrayList<>();

    private Builder(Path directory) {
      this.directory = directory;
    }

    public Builder arguments(String... more) {
      arguments.addAll(List.of(more));
      return this;
    }

    /** {@code -D key=value}; of several values the last one counts. */
    public Builder set(String key, Object value) {
      settings.put(key, value.toString());
      return arguments("-D", key + "=" + value);
    }

    /** What a key has been set to. */
    String setting(String key) {
      return Objects.requireNonNull(settings.get(key), key);
    }

    /** As {@link OwnCache} says. */
    public Builder cache(Path cache) {
      OwnCache.settings(cache).forEach(this::set);
      return this;
    }

    public Builder hdfs(HdfsProcess hdfs) {
      environment.put("HADOOP_CONF_DIR", hdfs.configuration().toString());
      return this;
    }

    /** Programs of {@code first} are found before others of their names. */
    public Builder path(Path first) {
      environment.put("PATH", first + ":" + System.getenv("PATH"));
      return this;
    }

    /** On these CPUs only. */
    public Builder onCpus(String list) {
      launcher.addAll(List.of("taskset", "-c", list));
      return this;
    }

    public Submission start() throws IOException {
      Path work = Files.createTempDirectory(directory, "submission-");
      Path spark = Files.createDirectory(work.resolve("spark"));
      Path installed = Checkout.toolchain().resolve("spark-3.5.9");
      for (String name : List.of("bin", "jars")) {
        Files.createSymbolicLink(spark.resolve(name), installed.resolve(name));
      }
      List<String> command = new ArrayList<>(launcher);
      command.addAll(List.of("bash", Checkout.module().resolve("bin/glm-tuner").toString()));
      String options = QUICK + " -Djava.io.tmpdir=" + Files.createDirectory(work.resolve("tmp"));
      command.addAll(List.of("--driver-java-options", options));
      command.addAll(List.of("--conf", "spark.executor.extraJavaOptions=" + options));
      command.addAll(List.of("--conf", "spark.kryo.registrationRequired=true"));
      command.addAll(arguments);
      Path out = work.resolve("out");
      Path err = work.resolve("err");
      ProcessBuilder builder =
          new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
      builder.environment().putAll(environment);
      builder.environment().put("SPARK_HOME", spark.toString());
      builder.environment().put("SPARK_LOCAL_DIRS", work.resolve("tmp").toString());
      builder.environment().put("GLM_TUNER_CACHE", Checkout.toolchain().toString());
      return new Submission(builder.start(), spark, out, err);
    }

    /** Starts and waits for the end. */
    public Submission run(Duration limit) throws IOException, InterruptedException {
      Submission submission = start();
      submission.await(limit);
      return submission;
    }
  }

  /**
   * A submission whose files go below {@code directory}.
   *
   * @param command and its arguments
   */
  public static Builder of(Path directory, String... command) {
    return new Builder(directory).arguments(command);
  }

  /** Waits for the end; kills the process and fails where it takes longer. */
  public int await(Duration limit) throws IOException, InterruptedException {
    if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      throw new AssertionError("glm-tuner did not end within " + limit + ":\n" + err());
    }
    return process.exitValue();
  }

  /** The JVM of spark-submit: the script replaces itself by it. */
  public ProcessHandle driver() {
    return process.toHandle();
  }

  public String err() throws IOException {
    return Files.readString(err);
  }

  public List<String> outLines() throws IOException {
    return Files.readAllLines(out);
  }

  /** The last line of standard output. */
  public JsonObject result() throws IOException {
    List<String> lines = outLines();
    assertThat(lines).as("standard output; standard error was:\n%s", err()).isNotEmpty();
    return JsonParser.parseString(lines.get(lines.size() - 1)).getAsJsonObject();
  }

  @Override
  public void close() throws IOException {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly().onExit().join();
    PrivateDirectory.deleteTree(spark);
  }
}
