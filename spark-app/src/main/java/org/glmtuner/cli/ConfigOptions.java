package org.glmtuner.cli;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.storage.TextFile;
import picocli.CommandLine.Option;

/** The options by which every command gets its configuration. */
final class ConfigOptions {
  /** Of who only looks, and does not wait for cores that a run has; an option says otherwise. */
  static final Map<String, String> IMPATIENT = Map.of("ranks.wait", "15s");

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Configuration in HOCON; a local path or a Hadoop URI. Without it, the defaults.")
  private String file = "";

  @Option(
      names = "-D",
      paramLabel = "KEY=VALUE",
      description = "Overrides a key of the configuration; may be given many times.")
  private Map<String, String> overrides = new LinkedHashMap<>();

  TunerConfig load() throws IOException {
    return load(Map.of());
  }

  /** With {@code defaults} for keys that no option overrides, whatever the file has. */
  TunerConfig load(Map<String, String> defaults) throws IOException {
    Map<String, String> all = new LinkedHashMap<>(defaults);
    all.putAll(overrides);
    return ConfigLoader.load(file.isEmpty() ? "" : TextFile.read(file), file, all);
  }
}
