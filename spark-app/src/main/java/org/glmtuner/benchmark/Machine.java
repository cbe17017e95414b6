package org.glmtuner.benchmark;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import org.glmtuner.executor.CpuTopology;
import org.glmtuner.executor.HostIdentity;

/** What a result depends on besides the program: the first line of a file of results. */
final class Machine {
  private Machine() {}

  static JsonObject describe(Settings settings) throws IOException {
    JsonObject line = new JsonObject();
    line.addProperty("date", LocalDate.now(ZoneOffset.UTC).toString());
    line.addProperty("machine", HostIdentity.cpuModel());
    line.addProperty("cpus", CpuTopology.formatList(settings.topology().cpus()));
    line.addProperty("kernel", System.getProperty("os.version"));
    line.addProperty("java", Runtime.version().toString());
    String version = Machine.class.getPackage().getImplementationVersion();
    line.addProperty("glm_tuner", version == null ? "(not from a jar)" : version);
    JsonObject configuration = new JsonObject();
    settings.config().effective().identity().forEach(configuration::addProperty);
    configuration.addProperty("engine.isa", settings.config().engine().isa().label());
    configuration.addProperty(
        "training.micro-batch-tokens", settings.config().training().microBatchTokens());
    line.add("configuration", configuration);
    return line;
  }
}
