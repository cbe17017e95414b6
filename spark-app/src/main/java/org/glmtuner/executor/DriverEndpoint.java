package org.glmtuner.executor;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.apache.spark.SparkContext;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;

/**
 * The driver's end of the plugin channel: hands a message to whoever runs the attempt that it
 * names. Spark calls it on one thread for all tasks, so handlers must answer at once.
 */
public final class DriverEndpoint implements DriverPlugin {
  /** What {@code spark.plugins} must name. */
  public static final String PLUGIN = "org.glmtuner.executor.GlmTunerPlugin";

  private static final Map<String, Function<TaskMessage, Object>> ATTEMPTS =
      new ConcurrentHashMap<>();
  private static final Map<String, ExecutorFacts> EXECUTORS = new ConcurrentHashMap<>();

  /** Their facts may come after the news of their end, on another thread. */
  private static final Set<String> REMOVED = ConcurrentHashMap.newKeySet();

  /** Messages of {@code attempt} go to {@code handler} from now on, until {@link #close}. */
  public static void open(String attempt, Function<TaskMessage, Object> handler) {
    ATTEMPTS.put(attempt, handler);
  }

  /** Tasks of {@code attempt} that still talk are told to stop. */
  public static void close(String attempt) {
    ATTEMPTS.remove(attempt);
  }

  /**
   * What executors said of themselves when they started, by executor id: of those that Spark has
   * not removed since.
   */
  public static Map<String, ExecutorFacts> executors() {
    return Map.copyOf(EXECUTORS);
  }

  @Override
  public Map<String, String> init(SparkContext context, PluginContext pluginContext) {
    EXECUTORS.clear(); // of an earlier session in this JVM
    REMOVED.clear();
    context.addSparkListener(
        new SparkListener() {
          @Override
          public void onExecutorRemoved(SparkListenerExecutorRemoved removed) {
            REMOVED.add(removed.executorId()); // which no later one has
            EXECUTORS.remove(removed.executorId());
          }
        });
    return Map.of();
  }

  @Override
  public Object receive(Object message) {
    if (message instanceof ExecutorFacts facts) {
      EXECUTORS.put(facts.executor(), facts);
      if (REMOVED.contains(facts.executor())) {
        EXECUTORS.remove(facts.executor());
      }
      return null;
    }
    TaskMessage fromTask = (TaskMessage) message;
    Function<TaskMessage, Object> handler = ATTEMPTS.get(fromTask.attempt());
    return handler == null
        ? new TaskMessage.Stop("attempt " + fromTask.attempt() + " is over")
        : handler.apply(fromTask);
  }
}
