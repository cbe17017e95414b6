package org.glmtuner.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.assertj.core.api.SoftAssertions;
import org.glmtuner.SharedData;
import org.junit.jupiter.api.Test;

/** What the official code computed for real texts. */
class GoldenTextTest {
  private static final Segmenter SEGMENTER = Segmenter.load();

  private static JsonObject metrics() throws IOException {
    return JsonParser.parseString(
            Files.readString(SharedData.require("data/golden/text/metrics.json")))
        .getAsJsonObject();
  }

  private static List<JsonObject> pairs(JsonObject metrics) {
    return metrics.getAsJsonArray("pairs").asList().stream()
        .map(JsonElement::getAsJsonObject)
        .toList();
  }

  private static List<String> strings(JsonObject object, String key) {
    return object.getAsJsonArray(key).asList().stream().map(JsonElement::getAsString).toList();
  }

  private static Prediction prediction(JsonObject pair) {
    return new Prediction(
        pair.get("reference").getAsString(), pair.get("prediction").getAsString());
  }

  private static Scores scores(JsonObject object) {
    return new Scores(
        object.get("rouge-1").getAsDouble(),
        object.get("rouge-2").getAsDouble(),
        object.get("rouge-l").getAsDouble(),
        object.get("bleu-4").getAsDouble());
  }

  private static Evaluation evaluation(List<JsonObject> pairs) {
    Evaluation.Summary summary = new Evaluation.Summary(new Scorer(SEGMENTER));
    pairs.forEach(pair -> summary.add(prediction(pair)));
    return summary.evaluation();
  }

  private static void assertMean(Scores mean, Scores expected) {
    assertThat(mean.rouge1()).isCloseTo(expected.rouge1(), within(1e-9));
    assertThat(mean.rouge2()).isCloseTo(expected.rouge2(), within(1e-9));
    assertThat(mean.rougeL()).isCloseTo(expected.rougeL(), within(1e-9));
    assertThat(mean.bleu4()).isCloseTo(expected.bleu4(), within(1e-9));
  }

  @Test
  void cutsEveryTextAsJieba() throws IOException {
    List<String> lines = Files.readAllLines(SharedData.require("data/golden/text/jieba.jsonl"));
    assertThat(lines).hasSize(200);
    SoftAssertions all = new SoftAssertions();
    for (String line : lines) {
      JsonObject row = JsonParser.parseString(line).getAsJsonObject();
      all.assertThat(SEGMENTER.cut(row.get("text").getAsString())).isEqualTo(strings(row, "words"));
    }
    all.assertAll();
  }

  @Test
  void cutsThePairsAsJieba() throws IOException {
    SoftAssertions all = new SoftAssertions();
    List<JsonObject> withWords =
        pairs(metrics()).stream().filter(pair -> pair.has("prediction_words")).toList();
    assertThat(withWords).hasSize(96);
    for (JsonObject pair : withWords) {
      all.assertThat(SEGMENTER.cut(pair.get("prediction").getAsString()))
          .isEqualTo(strings(pair, "prediction_words"));
      all.assertThat(SEGMENTER.cut(pair.get("reference").getAsString()))
          .isEqualTo(strings(pair, "reference_words"));
    }
    all.assertAll();
  }

  @Test
  void scoresEveryPairToTheLastDecimal() throws IOException {
    Scorer scorer = new Scorer(SEGMENTER);
    SoftAssertions all = new SoftAssertions();
    List<JsonObject> pairs = pairs(metrics());
    assertThat(pairs).hasSize(100);
    for (JsonObject pair : pairs) {
      Scores expected =
          pair.get("scores").isJsonNull()
              ? new Scores(0, 0, 0, 0)
              : scores(pair.getAsJsonObject("scores"));
      all.assertThat(scorer.score(prediction(pair))).as(pair.toString()).isEqualTo(expected);
    }
    all.assertAll();
  }

  @Test
  void meansAreTheOfficialOnesWithAndWithoutEmptyPredictions() throws IOException {
    JsonObject metrics = metrics();
    List<JsonObject> pairs = pairs(metrics);

    Evaluation all = evaluation(pairs);
    assertThat(all.samples()).isEqualTo(100);
    assertThat(all.emptyPredictions()).isEqualTo(4);
    assertThat(all.emptyLabels()).isZero();
    assertMean(
        all.mean(), scores(metrics.getAsJsonObject("mean_with_raising_pairs_counted_as_zero")));

    Evaluation scored =
        evaluation(pairs.stream().filter(pair -> !pair.get("scores").isJsonNull()).toList());
    assertThat(scored.samples()).isEqualTo(96);
    assertMean(scored.mean(), scores(metrics.getAsJsonObject("mean_over_scored_pairs")));
  }
}
