package org.glmtuner.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigValue;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One group of keys being read. A value of the wrong type or out of its range is noted among the
 * problems and replaced by a harmless one, so that one pass finds every problem; the loader throws
 * afterwards.
 */
final class Section {
  private static final Pattern PORTS = Pattern.compile("(\\d{1,5})\\s*-\\s*(\\d{1,5})");
  private static final int MOST_PORT = 65535;

  private final Config config;
  private final String group;
  private final List<String> problems;

  Section(Config root, String group, List<String> problems) {
    this.config = root.getConfig(group);
    this.group = group;
    this.problems = problems;
  }

  String text(String key) {
    return read(key, config::getString, "");
  }

  /** As the other, of the values that the rule names. */
  String text(String key, Predicate<String> allowed, String rule) {
    String value = text(key);
    return check(key, allowed.test(value), value, rule) ? value : "";
  }

  /** {@code 50000-50100}, or empty for any port. */
  PortRange ports(String key) {
    String value = text(key).strip();
    Matcher matcher = PORTS.matcher(value);
    if (matcher.matches()) {
      PortRange range =
          new PortRange(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
      if (range.first() >= 1 && range.first() <= range.last() && range.last() <= MOST_PORT) {
        return range;
      }
    }
    check(key, value.isEmpty(), value, "empty, or two ports from 1 to 65535 such as 50000-50100");
    return PortRange.ANY;
  }

  /** Whether the value is this word, and not something that must be read in another way. */
  boolean is(String key, String word) {
    return config.hasPath(key) && config.getValue(key).unwrapped().equals(word);
  }

  boolean flag(String key) {
    return read(key, config::getBoolean, false);
  }

  int integer(String key, int least, int most) {
    return integer(key, least, most, "");
  }

  /** As the other; {@code alternative} ends the rule in messages. */
  int integer(String key, int least, int most, String alternative) {
    double value = read(key, config::getDouble, (double) least); // getInt would cut a fraction off
    return check(
            key,
            value == Math.rint(value) && value >= least && value <= most,
            config.getValue(key).unwrapped(),
            "a whole number from " + least + " to " + most + alternative)
        ? (int) value
        : least;
  }

  long longInteger(String key) {
    return read(key, config::getLong, 0L);
  }

  /** Accepts {@code least <= value < below}. */
  double number(String key, double least, double below) {
    double value = read(key, config::getDouble, least);
    return check(
            key,
            value >= least && value < below,
            value,
            "a number from " + least + " to below " + below)
        ? value
        : least;
  }

  /** Accepts {@code 0 < value <= most}. */
  double positive(String key, double most) {
    double value = read(key, config::getDouble, most);
    return check(key, value > 0 && value <= most, value, "a number above 0 up to " + most)
        ? value
        : most;
  }

  /** A number needs its unit: without one it would be milliseconds, which nobody means here. */
  Duration duration(String key, Duration least) {
    String text = String.valueOf(config.getValue(key).unwrapped()).strip();
    Duration value = read(key, config::getDuration, least);
    boolean unit = !text.isEmpty() && Character.isLetter(text.charAt(text.length() - 1));
    check(
        key,
        unit && value.compareTo(least) >= 0,
        text,
        "a duration with its unit such as 30s or 10m, at least " + least.toSeconds() + "s");
    return value;
  }

  long bytes(String key, long least) {
    long value = read(key, config::getBytes, least);
    return check(key, value >= least, value, "at least " + least + " bytes") ? value : least;
  }

  List<String> texts(String key) {
    return List.copyOf(read(key, config::getStringList, List.of()));
  }

  Map<String, String> textMap(String key) {
    Map<String, String> result = new TreeMap<>();
    for (Map.Entry<String, ConfigValue> entry : config.getObject(key).entrySet()) {
      result.put(entry.getKey(), String.valueOf(entry.getValue().unwrapped()));
    }
    return Map.copyOf(result);
  }

  /** The constant of {@code values} whose lower-case name is the value. */
  <E extends Enum<E>> E choice(String key, E[] values) {
    String value = text(key);
    for (E candidate : values) {
      if (candidate.name().toLowerCase(Locale.ROOT).equals(value)) {
        return candidate;
      }
    }
    String names =
        Stream.of(values)
            .map(v -> v.name().toLowerCase(Locale.ROOT))
            .collect(Collectors.joining(", "));
    check(key, false, value, "one of " + names);
    return values[0];
  }

  private <T> T read(String key, Function<String, T> getter, T otherwise) {
    try {
      return getter.apply(key);
    } catch (ConfigException.WrongType | ConfigException.BadValue e) {
      check(key, false, config.getValue(key).unwrapped(), reason(e));
      return otherwise;
    } catch (ConfigException.Missing e) {
      check(key, false, "null", "a value is needed");
      return otherwise;
    }
  }

  private static String reason(ConfigException e) {
    String message = e.getMessage(); // "<origin>: <path> has type STRING rather than NUMBER"
    int type = message.indexOf("has type");
    return type >= 0 ? message.substring(type) : message.substring(message.lastIndexOf(": ") + 2);
  }

  /** Notes a problem unless the rule holds; returns whether it does. */
  boolean check(String key, boolean holds, Object value, String rule) {
    if (!holds) {
      problems.add("Invalid " + group + "." + key + ": " + value + " (" + rule + ")");
    }
    return holds;
  }
}
