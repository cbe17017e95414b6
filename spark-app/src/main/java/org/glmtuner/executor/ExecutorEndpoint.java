package org.glmtuner.executor;

import java.io.IOException;
import java.util.Map;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;

/** Opens the {@link DriverLink} of an executor and tells the driver what CPUs it has. */
public final class ExecutorEndpoint implements ExecutorPlugin {
  @Override
  public void init(PluginContext context, Map<String, String> extra) {
    DriverLink.open(context);
    try {
      context.send(
          new ExecutorFacts(context.executorID(), HostIdentity.read().node(), CpuTopology.read()));
    } catch (IOException e) {
      throw new IllegalStateException(
          "Cannot tell the driver of this executor: " + e.getMessage(), e);
    }
  }
}
