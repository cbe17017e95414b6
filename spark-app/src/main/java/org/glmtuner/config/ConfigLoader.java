package org.glmtuner.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigSyntax;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import com.typesafe.config.ConfigValueType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.glmtuner.failure.DidYouMean;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/**
 * Merges a configuration file and {@code -D} overrides over the defaults and validates everything
 * at once.
 */
public final class ConfigLoader {
  /**
   * Planned keys; naming them is an error with its own sentence, so that nobody trains without what
   * they asked for.
   */
  private static final Set<String> NOT_YET =
      Set.of("mpi.allow-plaintext", "cache.max-size", "retry.max-attempts", "retry.backoff");

  private static final Set<String> NOT_YET_GROUPS = Set.of("retry", "report");

  /** Groups whose keys the user chooses. */
  private static final Set<String> FREE_GROUPS =
      Set.of("mpi.environment", "mpi.presets.mpich", "mpi.presets.intel", "mpi.presets.other");

  /** Groups that may be given empty. */
  private static final Set<String> GROUPS =
      Set.of(
          "run",
          "model",
          "prefix",
          "data",
          "training",
          "generation",
          "ranks",
          "engine",
          "mpi",
          "mpi.environment",
          "mpi.presets",
          "mpi.presets.mpich",
          "mpi.presets.intel",
          "mpi.presets.other",
          "memory",
          "cache");

  private ConfigLoader() {}

  /** The defaults of {@code reference.conf}. */
  static Config reference() {
    return ConfigFactory.parseResources(
        ConfigLoader.class, "reference.conf", ConfigParseOptions.defaults().setAllowMissing(false));
  }

  /**
   * The validated configuration.
   *
   * @param file HOCON text; empty for defaults only
   * @param origin where the text is from, for messages
   * @param overrides dotted key to value, winning over the file
   * @throws TunerException (exit code 2) with one line per problem
   */
  public static TunerConfig load(String file, String origin, Map<String, String> overrides) {
    Config reference = reference();
    Config user = parse(file, origin);
    List<String> problems = new ArrayList<>();
    for (Map.Entry<String, String> override : overrides.entrySet()) {
      user = override(user, override.getKey(), override.getValue(), problems);
    }
    unusableKeys(user, reference, problems);
    for (String group : GROUPS) {
      if (user.hasPathOrNull(group)
          && !(user.root().toConfig().getValue(group) instanceof ConfigObject)) {
        user =
            user.withoutPath(group); // reported as an unusable key; the rest can still be checked
      }
    }
    if (user.hasPath("training.max-steps")
        && user.hasPath("training.epochs")
        && !user.getValue("training.epochs").unwrapped().toString().equals("0")) {
      problems.add(
          "Invalid training.epochs: training.max-steps is given too (only one of them can end a run)");
    }
    TunerConfig result = TunerConfig.read(user.withFallback(reference), reference, problems);
    if (!problems.isEmpty()) {
      throw TunerException.invalid(
          "Invalid configuration"
              + (origin.isEmpty() ? "" : " " + origin)
              + ":\n  "
              + String.join("\n  ", problems));
    }
    return result;
  }

  private static Config parse(String file, String origin) {
    try {
      ConfigParseOptions options =
          ConfigParseOptions.defaults().setSyntax(ConfigSyntax.CONF).setOriginDescription(origin);
      return ConfigFactory.parseString(file, options).resolve();
    } catch (ConfigException e) {
      throw new TunerException(
          ExitCode.INVALID, "Cannot read the configuration: " + e.getMessage(), e);
    }
  }

  /**
   * A value in brackets is HOCON; anything else is taken as it stands, so that a URI needs no
   * quotes.
   */
  private static Config override(Config user, String key, String value, List<String> problems) {
    try {
      boolean structured = value.startsWith("[") || value.startsWith("{");
      return structured
          ? ConfigFactory.parseString(key + " = " + value).resolve().withFallback(user)
          : user.withValue(key, ConfigValueFactory.fromAnyRef(value, "-D " + key));
    } catch (ConfigException e) {
      problems.add("Invalid option -D " + key + "=" + value + " (" + e.getMessage() + ")");
      return user;
    }
  }

  private static void unusableKeys(Config user, Config reference, List<String> problems) {
    Set<String> known = new TreeSet<>();
    reference.entrySet().forEach(entry -> known.add(entry.getKey()));
    Set<String> given = new TreeSet<>();
    leaves("", user.root(), given, problems);
    for (String key : given) {
      if (known.contains(key)
          || FREE_GROUPS.stream().anyMatch(group -> key.startsWith(group + "."))) {
        continue;
      }
      if (NOT_YET.contains(key) || NOT_YET_GROUPS.contains(key.replaceAll("\\..*", ""))) {
        problems.add("Invalid key " + key + " (this version does not have it yet)");
      } else {
        problems.add(
            "Invalid key " + key + " (there is no such key)" + DidYouMean.hint(key, known));
      }
    }
  }

  /**
   * The dotted paths of all values; an empty group counts as a value, so that a misspelt one is
   * seen.
   */
  private static void leaves(
      String path, ConfigObject group, Set<String> result, List<String> problems) {
    for (Map.Entry<String, ConfigValue> entry : group.entrySet()) {
      String key = path.isEmpty() ? entry.getKey() : path + "." + entry.getKey();
      if (entry.getValue() instanceof ConfigObject inner && !inner.isEmpty()) {
        leaves(key, inner, result, problems);
      } else if (entry.getValue().valueType() == ConfigValueType.NULL) {
        problems.add("Invalid " + key + ": null (a value is needed)");
      } else if (!(GROUPS.contains(key) && entry.getValue() instanceof ConfigObject)) {
        result.add(key);
      }
    }
  }
}
