package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.glmtuner.config.CacheConfig;
import org.glmtuner.failure.TunerException;

/** Opens the {@link DriverLink} of an executor and tells the driver what CPUs it has. */
public final class ExecutorEndpoint implements ExecutorPlugin {
  /** Spark's configuration carries {@code cache.directory} to executors under this key. */
  public static final String CACHE_DIRECTORY = "spark.glmtuner.cacheDirectory";

  @Override
  public void init(PluginContext context, Map<String, String> extra) {
    DriverLink.open(context);
    try {
      String cache = context.conf().get(CACHE_DIRECTORY, "");
      context.send(facts(context.executorID(), new CacheConfig(cache).path()));
    } catch (IOException e) {
      throw new IllegalStateException(
          "Cannot tell the driver of this executor: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** An executor without a topology must live all the same: there are jobs without ranks. */
  private static ExecutorFacts facts(String executor, Path cache)
      throws IOException, InterruptedException {
    String node = HostIdentity.read().node();
    try {
      return new ExecutorFacts(executor, node, HostTopology.read(cache), CpuTime.granted(), "");
    } catch (TunerException e) {
      return new ExecutorFacts(executor, node, null, CpuTime.granted(), e.getMessage());
    }
  }
}
