package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.SparkPlugin;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
@SuppressWarnings("try") // the second session is held, not used
class DriverEndpointTest {
  private static final String FULL = "Cannot write /cache/glm-topology: no room";

  private static ExecutorFacts facts(String executor, String problem) {
    return new ExecutorFacts(executor, "host", null, 1, problem);
  }

  /** The driver's end alone, which Spark starts with the session. */
  public static final class DriverOnly implements SparkPlugin {
    static DriverEndpoint endpoint;

    @Override
    public DriverPlugin driverPlugin() {
      endpoint = new DriverEndpoint();
      return endpoint;
    }

    @Override
    public ExecutorPlugin executorPlugin() {
      return null;
    }
  }

  private static JavaSparkContext session() {
    return new JavaSparkContext(
        new SparkConf()
            .setMaster("local[1]")
            .setAppName("facts")
            .set("spark.plugins", DriverOnly.class.getName())
            .set("spark.ui.enabled", "false"));
  }

  @Test
  void whatAnExecutorSaidGoesWithIt() {
    try (JavaSparkContext spark = session()) {
      DriverOnly.endpoint.receive(facts("7", FULL));
      DriverOnly.endpoint.receive(facts("8", ""));
      assertThat(DriverEndpoint.executors()).containsOnlyKeys("7", "8");
      spark.sc().listenerBus().post(new SparkListenerExecutorRemoved(0, "7", "lost"));
      await().untilAsserted(() -> assertThat(DriverEndpoint.executors()).containsOnlyKeys("8"));
      DriverOnly.endpoint.receive(facts("7", FULL)); // was on its way
      assertThat(DriverEndpoint.executors()).containsOnlyKeys("8");
    }
    try (JavaSparkContext next = session()) { // which numbers its executors from 0 again
      assertThat(DriverEndpoint.executors()).isEmpty();
      DriverOnly.endpoint.receive(facts("7", ""));
      assertThat(DriverEndpoint.executors()).containsOnlyKeys("7");
    }
  }
}
