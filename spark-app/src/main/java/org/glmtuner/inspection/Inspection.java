package org.glmtuner.inspection;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.failure.TunerException;

/** What was found in one place; grows while it is looked at. */
public final class Inspection {
  private static final Gson GSON =
      new GsonBuilder()
          .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
          .serializeSpecialFloatingPointValues()
          .disableHtmlEscaping()
          .create();

  /** A tensor and the file it is in. */
  record Tensor(String name, String dtype, List<Long> shape, String file) {}

  private final Holding holds;
  private final String location;
  private final Map<String, Object> facts = new LinkedHashMap<>();
  private final List<Tensor> tensors = new ArrayList<>();
  private final List<Inspection> parts = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();

  Inspection(Holding holds, String location) {
    this.holds = holds;
    this.location = location;
  }

  /** Notes a fact under a name in lower_case_with_underscores. */
  void fact(String name, Object value) {
    facts.put(name, value);
  }

  /** Notes what is wrong, once. */
  void problem(String sentence) {
    if (!problems.contains(sentence)) {
      problems.add(sentence);
    }
  }

  void problem(TunerException e) {
    problem(e.getMessage());
  }

  void tensors(TensorFile file) {
    for (TensorSpec spec : file.tensors()) {
      tensors.add(new Tensor(spec.name(), spec.dtype().name(), spec.shape(), file.name()));
    }
  }

  void part(Inspection part) {
    parts.add(part);
  }

  /** What it is, in lower case. */
  public String label() {
    return holds.label();
  }

  Holding holds() {
    return holds;
  }

  String location() {
    return location;
  }

  Map<String, Object> facts() {
    return facts;
  }

  List<Tensor> tensors() {
    return tensors;
  }

  List<Inspection> parts() {
    return parts;
  }

  /** All that is wrong, here and in the parts: each a sentence. */
  public List<String> problems() {
    List<String> all = new ArrayList<>(problems);
    parts.forEach(part -> all.addAll(part.problems()));
    return all;
  }

  /** The whole as one JSON object. */
  public String toJson() {
    return GSON.toJson(json());
  }

  private JsonObject json() {
    JsonObject json = new JsonObject();
    json.addProperty("holds", holds.label());
    json.addProperty("location", location);
    facts.forEach((name, value) -> json.add(name, GSON.toJsonTree(value)));
    json.add("problems", GSON.toJsonTree(problems));
    if (!tensors.isEmpty()) {
      json.add("tensors", GSON.toJsonTree(tensors));
    }
    if (!parts.isEmpty()) {
      json.add("parts", GSON.toJsonTree(parts.stream().map(Inspection::json).toList()));
    }
    return json;
  }

  /** The whole as lines for people. */
  public List<String> toText() {
    return InspectionText.of(this);
  }
}
