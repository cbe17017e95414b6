package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;

/** Where things are in the checkout that is being tested. Tests run in the module's directory. */
public final class Checkout {
  private Checkout() {}

  public static Path module() {
    return Path.of("").toAbsolutePath();
  }

  public static Path root() {
    return module().getParent();
  }

  /** What setup has downloaded. */
  public static Path toolchain() {
    String directory = System.getProperty("glmtuner.toolchain");
    assertThat(directory).as("system property glmtuner.toolchain").isNotNull();
    return Path.of(directory);
  }

  /** A library that only tells what it is, as {@code open_mpi}; built with the native tests. */
  public static Path fakeMpi(String name) {
    Path library = root().resolve("native-ddp/target/cmake/libfake_" + name + ".so");
    assertThat(library).exists();
    return library;
  }

  /** golden/small of the test resources, as files. */
  public static Path goldenSmall() {
    return module().resolve("src/test/resources/golden/small");
  }
}
