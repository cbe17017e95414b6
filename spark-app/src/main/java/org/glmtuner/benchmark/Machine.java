package org.glmtuner.benchmark;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.Properties;
import java.util.stream.Collectors;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.executor.HostIdentity;
import org.glmtuner.topology.CpuList;

/** What a result depends on besides the program: the first line of a file of results. */
final class Machine {
  private Machine() {}

  /**
   * @param all that are measured; they differ in {@code engine.isa} alone
   */
  static JsonObject describe(Collection<Settings> all, Verification.Extent verify)
      throws IOException {
    Settings settings = all.iterator().next();
    JsonObject line = new JsonObject();
    line.addProperty("date", LocalDate.now(ZoneOffset.UTC).toString());
    line.addProperty("machine", HostIdentity.cpuModel());
    line.addProperty("cpus", CpuList.format(settings.topology().cpus()));
    line.addProperty("kernel", System.getProperty("os.version"));
    line.addProperty("java", Runtime.version().toString());
    line.addProperty("libtorch", libtorch());
    String version = Machine.class.getPackage().getImplementationVersion();
    line.addProperty("glm_tuner", version == null ? "(not from a jar)" : version);
    TunerConfig config = settings.config();
    JsonObject configuration = new JsonObject();
    configuration.addProperty("model.precision", config.model().precision().label());
    configuration.addProperty(
        "engine.isa",
        all.stream()
            .map(each -> each.config().engine().isa().label())
            .collect(Collectors.joining(",")));
    configuration.addProperty("prefix.length", config.prefix().length());
    configuration.addProperty("training.prefix-dropout", config.training().prefixDropout());
    configuration.addProperty("training.micro-batch-tokens", settings.microBatchTokens());
    configuration.addProperty("run.seed", config.run().seed());
    line.add("configuration", configuration);
    line.addProperty("verified", verify != Verification.Extent.NONE);
    return line;
  }

  /** As DJL names the one in its jar. */
  private static String libtorch() throws IOException {
    try (InputStream file = Machine.class.getResourceAsStream("/native/lib/pytorch.properties")) {
      Properties properties = new Properties();
      if (file != null) {
        properties.load(file);
      }
      return properties.getProperty("version", "(not from a jar)");
    }
  }
}
