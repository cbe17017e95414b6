package org.glmtuner;

import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A file system of a given size, for as long as it is open. Tests skip where it takes root. */
public final class SmallDisk implements AutoCloseable {
  private final Path directory;

  private SmallDisk(Path directory) {
    this.directory = directory;
  }

  /** Mounts one at a path that does not exist yet. */
  public static SmallDisk mount(Path directory, long bytes, String... options)
      throws IOException, InterruptedException {
    Files.createDirectory(directory);
    List<String> all = new ArrayList<>(List.of("size=" + bytes, "mode=0700"));
    all.addAll(Arrays.asList(options));
    int status =
        run("mount", "-t", "tmpfs", "-o", String.join(",", all), "tmpfs", directory.toString());
    assumeThat(status).as("status of mount, which takes root").isZero();
    return new SmallDisk(directory);
  }

  private static int run(String... command) throws IOException, InterruptedException {
    return new ProcessBuilder(command).inheritIO().start().waitFor();
  }

  public Path directory() {
    return directory;
  }

  /** From now on. */
  public void makeReadOnly() throws IOException, InterruptedException {
    if (run("mount", "-o", "remount,ro", directory.toString()) != 0) {
      throw new IOException("Cannot make " + directory + " read-only");
    }
  }

  @Override
  public void close() throws IOException {
    try {
      if (run("umount", directory.toString()) != 0) {
        throw new IOException("Cannot unmount " + directory);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Cannot wait until " + directory + " is unmounted", e);
    }
  }
}
