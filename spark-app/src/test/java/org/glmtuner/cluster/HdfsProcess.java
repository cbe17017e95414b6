package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.HadoopSettings;

/** A real HDFS in a process of its own; ends with this. */
public final class HdfsProcess implements AutoCloseable {
  private final Process process;
  private final Path directory;
  private final String uri;

  private HdfsProcess(Process process, Path directory, String uri) {
    this.process = process;
    this.directory = directory;
    this.uri = uri;
  }

  public static HdfsProcess start(Path directory) throws IOException {
    Path module = Checkout.module().resolve("mini-hdfs/target");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-Xmx512m",
                "-cp",
                module.resolve("classes") + ":" + module.resolve("lib") + "/*",
                "org.glmtuner.minihdfs.MiniHdfs",
                directory.toString())
            .redirectError(directory.resolveSibling("hdfs.log").toFile())
            .start();
    String uri = process.inputReader().readLine();
    assertThat(uri).as("first line of MiniHdfs, see hdfs.log").startsWith("hdfs://");
    return new HdfsProcess(process, directory, uri);
  }

  public String uri() {
    return uri;
  }

  /** What HADOOP_CONF_DIR has to be. */
  public Path configuration() {
    return directory.resolve("conf");
  }

  public Directory directory(String path) throws IOException {
    return Directory.of(uri + path, HadoopSettings.of(new Configuration(true)));
  }

  /** Copies a local file or directory to {@code path}. */
  public String put(Path local, String path) throws IOException {
    org.apache.hadoop.fs.Path target = new org.apache.hadoop.fs.Path(uri + path);
    FileSystem fileSystem = target.getFileSystem(new Configuration(true));
    fileSystem.copyFromLocalFile(new org.apache.hadoop.fs.Path(local.toUri()), target);
    return target.toString();
  }

  @Override
  public void close() throws IOException {
    process.getOutputStream().close();
    try {
      process.onExit().orTimeout(20, TimeUnit.SECONDS).join();
    } catch (CompletionException e) {
      process.destroyForcibly().onExit().join();
    }
  }
}
