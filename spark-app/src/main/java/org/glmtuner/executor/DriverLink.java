package org.glmtuner.executor;

import java.io.IOException;
import org.apache.spark.api.plugin.PluginContext;
import org.glmtuner.failure.TunerException;

/**
 * The executor's end of the plugin channel. Spark creates one plugin per JVM and hands it to
 * nobody, hence the static holder.
 */
final class DriverLink {
  private static volatile PluginContext context;

  private DriverLink() {}

  static void open(PluginContext pluginContext) {
    context = pluginContext;
  }

  /**
   * Sends a message and waits for the driver's answer, which may be null.
   *
   * @throws TunerException where the driver says that the attempt is over
   */
  static Object ask(TaskMessage message) throws IOException {
    PluginContext link = context;
    if (link == null) {
      throw TunerException.invalid(
          "Cannot reach the driver: this executor was started without our plugin (spark.plugins must name "
              + DriverEndpoint.PLUGIN
              + ")");
    }
    Object answer;
    try {
      answer = link.ask(message);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Cannot reach the driver: interrupted", e);
    } catch (Exception e) {
      throw new IOException("Cannot reach the driver: " + e.getMessage(), e);
    }
    if (answer instanceof TaskMessage.Stop stop) {
      throw new AttemptOverException(stop.reason());
    }
    return answer;
  }
}
