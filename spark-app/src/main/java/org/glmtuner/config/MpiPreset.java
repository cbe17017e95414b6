package org.glmtuner.config;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Environment variables for a kind of MPI library.
 *
 * @param variables whose values may hold placeholders such as <code>{interface}</code>
 */
public record MpiPreset(Map<String, String> variables) implements Serializable {
  private static final Pattern PLACEHOLDER = Pattern.compile("\\{([^{}]*)\\}");

  /** What a preset can speak of. */
  public enum Placeholder {
    /** {@code mpi.interface}. */
    INTERFACE,
    /** {@code mpi.port-range}, and its ends. */
    PORT_RANGE,
    FIRST_PORT,
    LAST_PORT,
    /** The directory above the library's {@code lib}. */
    ROOT,
    /** A libfabric.so.1 for it. */
    LIBFABRIC,
    /** That libfabric's providers. */
    PROVIDERS;

    /** Between the braces. */
    public String key() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  static MpiPreset read(Section section, String key) {
    Map<String, String> variables = section.textMap(key);
    variables.forEach(
        (name, value) ->
            section.check(
                key + "." + name, placeholdersAreKnown(value), value, "known are " + known()));
    return new MpiPreset(variables);
  }

  private static boolean placeholdersAreKnown(String value) {
    return PLACEHOLDER
        .matcher(value)
        .results()
        .allMatch(
            found ->
                Arrays.stream(Placeholder.values()).anyMatch(p -> p.key().equals(found.group(1))));
  }

  private static String known() {
    return Arrays.stream(Placeholder.values())
        .map(placeholder -> "{" + placeholder.key() + "}")
        .collect(Collectors.joining(", "));
  }

  /** Whether a variable is set by one of these. */
  public boolean speaksOf(Placeholder... placeholders) {
    return variables.values().stream()
        .flatMap(value -> PLACEHOLDER.matcher(value).results())
        .anyMatch(
            found -> Arrays.stream(placeholders).anyMatch(p -> p.key().equals(found.group(1))));
  }

  /**
   * The variables to set: those that are not empty and whose placeholders all have a value.
   *
   * @param values empty or missing for what is not given
   */
  public Map<String, String> fill(Map<Placeholder, String> values) {
    Map<String, String> result = new TreeMap<>();
    variables.forEach(
        (name, template) -> {
          Matcher matcher = PLACEHOLDER.matcher(template);
          StringBuilder value = new StringBuilder();
          boolean complete = !template.isEmpty();
          while (matcher.find()) {
            String key = matcher.group(1);
            String given =
                values.getOrDefault(
                    Placeholder.valueOf(key.toUpperCase(Locale.ROOT).replace('-', '_')), "");
            complete &= !given.isEmpty();
            matcher.appendReplacement(value, Matcher.quoteReplacement(given));
          }
          matcher.appendTail(value);
          if (complete) {
            result.put(name, value.toString());
          }
        });
    return result;
  }
}
