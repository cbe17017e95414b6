package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.Test;

/** What a user may get wrong in the configuration and in files. */
class BadInputIT extends RefusedRuns {
  private Submission.Builder trainOnTexts() {
    return train()
        .set("model.path", Checkout.module().resolve("src/sample/tiny-chatglm"))
        .set("data.prompt-column", "content")
        .set("data.response-column", "summary");
  }

  @Test
  void allUnusableKeysAreReportedAtOnce() throws Exception {
    fails(
        train()
            .set("training.learning-rat", "0.1")
            .set("training.global-batch", "many")
            .set("retry.backoff", "5s"),
        ExitCode.INVALID,
        "Invalid key training.learning-rat (there is no such key) (did you mean training.learning-rate?)",
        "Invalid training.global-batch: many",
        "Invalid key retry.backoff (this version does not have it yet)");
    assertThat(run).doesNotExist();
  }

  @Test
  void missingRowsAreNamedAndTheRightOnesThenTrainInTheSameDirectory() throws Exception {
    Path there = rows;
    rows = directory.resolve("nowhere.jsonl");
    fails(train(), ExitCode.DAMAGED, "Cannot read " + rows, "(data.train)");
    rows = there;
    succeeds(train(), 1);
  }

  @Test
  void aRunDirectoryThatCannotBeIsNamed() throws Exception {
    run = rows.resolve("run");
    fails(train(), ExitCode.INVALID, "Cannot use run.directory " + run + ": ");
  }

  @Test
  void anOutputThatCannotBeWrittenIsNamedBeforeAnythingStarts() throws Exception {
    Path output = rows.resolve("output.jsonl");
    fails(score("--output", output.toString()), ExitCode.INVALID, "Cannot write " + output + ": ");
  }

  @Test
  void aConfigurationThatIsADirectoryIsNamed() throws Exception {
    fails(
        train().arguments("--config", directory.toString()),
        ExitCode.INVALID,
        "Cannot read " + directory + ": it is a directory");
  }

  @Test
  void aMissingModelIsNamed() throws Exception {
    Path nowhere = directory.resolve("nowhere");
    fails(
        train().set("model.path", nowhere),
        ExitCode.DAMAGED,
        "Cannot read the model: ",
        nowhere + " does not exist (model.path)");
  }

  @Test
  void aTokenizerOfAnotherModelIsRefused() throws Exception {
    Path model = Files.createDirectory(directory.resolve("mixed"));
    for (String name : List.of("config.json", "pytorch_model.bin")) {
      Files.copy(Checkout.goldenSmall().resolve("model").resolve(name), model.resolve(name));
    }
    Files.copy(
        Checkout.module().resolve("src/sample/tiny-chatglm/ice_text.model"),
        model.resolve("ice_text.model"));
    fails(
        train().set("model.path", model),
        ExitCode.DAMAGED,
        "Cannot use the tokenizer file:" + model + "/ice_text.model: it has ",
        "(take ice_text.model and config.json from the same release)");
  }

  @Test
  void aRowWithoutThePromptColumnIsNamed() throws Exception {
    Files.write(
        rows,
        List.of(
            "{\"content\": \"一\", \"summary\": \"二\"}",
            "{\"kontent\": \"一\", \"summary\": \"二\"}"));
    fails(
        trainOnTexts(),
        ExitCode.DAMAGED,
        "1 of 2 rows are malformed",
        rows.getFileName() + ", row 2: ",
        "content");
  }

  @Test
  void tooManyMalformedRowsAreListedWithTheirReasons() throws Exception {
    List<String> lines = new ArrayList<>(Files.readAllLines(rows));
    int context = 200;
    String ids = "11,".repeat(context) + "501,504," + "21,".repeat(60) + "505";
    String labels = "-100,".repeat(context + 2) + "21,".repeat(60) + "505";
    lines.add("{\"input_ids\":[" + ids + "],\"labels\":[" + labels + "]}");
    lines.add("{\"input_ids\":[11,501,504,505],\"labels\":[-100,-100,-100,-100]}");
    Files.write(rows, lines);
    fails(
        train(),
        ExitCode.DAMAGED,
        "2 of 26 rows are malformed, data.max-rejected-share allows 0.01; ",
        ", row 25: it has 263 tokens (at most 256, by the model's max_sequence_length)");
    assertThat(Files.readAllLines(run.resolve("rejected/training.jsonl")))
        .hasSize(2)
        .last()
        .asString()
        .contains("\"row\":26,\"reason\":\"all its labels are masked\"");
  }

  @Test
  void aRaggedRowOfCsvIsNamed() throws Exception {
    rows = directory.resolve("rows.csv");
    Files.writeString(rows, "content,summary\n一,\"二\n三\"\n四,五,六\n");
    fails(
        trainOnTexts(),
        ExitCode.DAMAGED,
        "1 of 2 rows are malformed",
        "rows.csv, row 4: it has 3 fields, the header has 2");
  }

  @Test
  void quotesOfCsvThatDoNotEndAreNamed() throws Exception {
    rows = directory.resolve("rows.csv");
    Files.writeString(rows, "content,summary\n一,二\n三,四\n五,六\n七,\"八\n九,十\n");
    fails(
        trainOnTexts(),
        ExitCode.DAMAGED,
        "Cannot read file:" + rows + ": the quotes of a field in line 5 do not end");
  }

  @Test
  void dynamicAllocationIsRefusedWithTheOptionToSet() throws Exception {
    fails(
        train().arguments("--conf", "spark.dynamicAllocation.enabled=true"),
        ExitCode.INVALID,
        "--conf spark.dynamicAllocation.enabled=false");
  }

  @Test
  void aDirectoryOfAnotherRunIsLeftAlone() throws Exception {
    Files.createDirectory(run);
    Files.writeString(run.resolve("thesis.txt"), "precious");
    fails(train(), ExitCode.INVALID, "Invalid run.directory: ", "thesis.txt");
    assertThat(run.resolve("thesis.txt")).hasContent("precious");
  }

  @Test
  void aTruncatedPrefixIsRefused() throws Exception {
    Path official = Checkout.goldenSmall().resolve("prefix-init/p8/pytorch_model.bin");
    Path damaged = Files.createDirectory(directory.resolve("damaged"));
    byte[] bytes = Files.readAllBytes(official);
    Files.write(damaged.resolve("pytorch_model.bin"), Arrays.copyOf(bytes, 9000));
    fails(
        train().set("prefix.init-from", damaged),
        ExitCode.DAMAGED,
        "Cannot read file:" + damaged + "/pytorch_model.bin: ",
        "perhaps the file was cut short (9000 bytes)");
  }

  @Test
  void aPrefixOfAnotherLengthIsRefused() throws Exception {
    fails(
        train()
            .set("prefix.length", 7)
            .set("prefix.init-from", Checkout.goldenSmall().resolve("prefix-init/p8")),
        ExitCode.DAMAGED,
        "its prefix has 8 virtual tokens without projection, the run is to train 7 virtual tokens without projection (prefix.length, prefix.projection)");
  }
}
