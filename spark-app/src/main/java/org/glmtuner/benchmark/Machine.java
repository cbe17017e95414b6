package org.glmtuner.benchmark;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.executor.HostIdentity;
import org.glmtuner.topology.CpuList;

/** What a result depends on besides the program: the first line of a file of results. */
final class Machine {
  private Machine() {}

  static JsonObject describe(Settings settings) throws IOException {
    JsonObject line = new JsonObject();
    line.addProperty("date", LocalDate.now(ZoneOffset.UTC).toString());
    line.addProperty("machine", HostIdentity.cpuModel());
    line.addProperty("cpus", CpuList.format(settings.topology().cpus()));
    line.addProperty("kernel", System.getProperty("os.version"));
    line.addProperty("java", Runtime.version().toString());
    String version = Machine.class.getPackage().getImplementationVersion();
    line.addProperty("glm_tuner", version == null ? "(not from a jar)" : version);
    TunerConfig config = settings.config();
    JsonObject configuration = new JsonObject();
    configuration.addProperty("model.precision", config.model().precision().label());
    configuration.addProperty("engine.isa", config.engine().isa().label());
    configuration.addProperty("prefix.length", config.prefix().length());
    configuration.addProperty("training.prefix-dropout", config.training().prefixDropout());
    configuration.addProperty("training.micro-batch-tokens", settings.microBatchTokens());
    configuration.addProperty("run.seed", config.run().seed());
    line.add("configuration", configuration);
    return line;
  }
}
