package org.glmtuner.executor;

import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.SparkPlugin;

/**
 * What {@code spark.plugins} names. Compiled for Java 8, as the main class is: on an older JVM it
 * says that 17 is needed instead of dying with a class-version error.
 */
public final class GlmTunerPlugin implements SparkPlugin {
  @Override
  public DriverPlugin driverPlugin() {
    return create("org.glmtuner.executor.DriverEndpoint", DriverPlugin.class);
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return create("org.glmtuner.executor.ExecutorEndpoint", ExecutorPlugin.class);
  }

  private static <T> T create(String name, Class<T> type) {
    int version = javaVersion();
    if (version < 17) {
      throw new IllegalStateException(
          "Cannot start GLM Tuner: Java 17 is needed, this is Java "
              + version
              + " (set spark.executorEnv.JAVA_HOME and, on YARN, spark.yarn.appMasterEnv.JAVA_HOME)");
    }
    try {
      return type.cast(Class.forName(name).getDeclaredConstructor().newInstance());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("Cannot start GLM Tuner: " + e, e);
    }
  }

  /** 8 for "1.8", otherwise the first number. */
  static int javaVersion() {
    String version = System.getProperty("java.specification.version");
    return Integer.parseInt(version.startsWith("1.") ? version.substring(2) : version);
  }
}
