package org.glmtuner.cli;

/**
 * The main class of {@code spark-submit}. Compiled for Java 8, so that an older JVM gets a sentence
 * instead of a class-version error.
 */
public final class GlmTuner {
  private GlmTuner() {}

  public static void main(String[] arguments) throws Throwable {
    String version = System.getProperty("java.specification.version");
    if (version.startsWith("1.") || Integer.parseInt(version) < 17) {
      System.err.println(
          "Cannot start GLM Tuner: Java 17 is needed, this is Java "
              + version
              + " (set JAVA_HOME for the driver, spark.executorEnv.JAVA_HOME for executors and, on YARN, spark.yarn.appMasterEnv.JAVA_HOME)");
      System.exit(3);
    }
    try {
      Class.forName("org.glmtuner.cli.Main")
          .getMethod("run", String[].class)
          .invoke(null, (Object) arguments);
    } catch (java.lang.reflect.InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
