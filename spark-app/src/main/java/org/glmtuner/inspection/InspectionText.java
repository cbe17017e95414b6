package org.glmtuner.inspection;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** An inspection as people read it; the layers' tensors, which are alike, on one line each. */
final class InspectionText {
  private final List<String> lines = new ArrayList<>();

  static List<String> of(Inspection inspection) {
    InspectionText text = new InspectionText();
    text.add(inspection, "");
    return text.lines;
  }

  private void add(Inspection inspection, String indent) {
    lines.add(indent + inspection.holds().title() + " " + inspection.location());
    String inner = indent + "  ";
    inspection.facts().forEach((name, value) -> addFact(name, value, inner));
    Map<String, Integer> alike = new LinkedHashMap<>();
    for (Inspection.Tensor tensor : inspection.tensors()) {
      String name = tensor.name().replaceFirst("\\.layers\\.\\d+\\.", ".layers.*.");
      alike.merge(name + "  " + tensor.dtype() + " " + tensor.shape(), 1, Integer::sum);
    }
    alike.forEach(
        (tensor, count) -> lines.add(inner + tensor + (count == 1 ? "" : "  x " + count)));
    inspection.parts().forEach(part -> add(part, inner));
    if (indent.isEmpty()) {
      List<String> problems = inspection.problems();
      lines.add(problems.isEmpty() ? "No problems found" : "Problems:");
      problems.forEach(problem -> lines.add(inner + problem));
    }
  }

  private void addFact(String name, Object value, String indent) {
    String title = name.replace('_', ' ');
    if (value instanceof Map<?, ?> entries) {
      lines.add(indent + title + ":");
      entries.forEach((key, entry) -> lines.add(indent + "  " + key + ": " + entry));
    } else if (value instanceof Long number) {
      lines.add(indent + title + ": " + String.format(Locale.ROOT, "%,d", number));
    } else {
      lines.add(indent + title + ": " + value);
    }
  }
}
