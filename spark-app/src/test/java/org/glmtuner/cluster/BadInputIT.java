package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.SmallDisk;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user may get wrong: one clear sentence, the right exit code, within seconds. */
class BadInputIT {
  private static final Duration LIMIT = Duration.ofSeconds(40);

  @TempDir static Path cache; // unpacking libraries takes long
  @TempDir Path directory;
  private Path rows;
  private Path run;

  @BeforeEach
  void writeRows() throws Exception {
    rows =
        GoldenRows.write(
            Checkout.goldenSmall(),
            IntStream.range(0, GoldenRows.ROWS).boxed().toList(),
            directory.resolve("rows.jsonl"));
    run = directory.resolve("run");
  }

  private Submission.Builder train() {
    return Submission.of(directory, "train")
        .set("run.directory", run)
        .set("model.path", Checkout.goldenSmall().resolve("model"))
        .set("prefix.length", 8)
        .set("data.train", rows)
        .set("training.max-steps", 4)
        .set("ranks.count", 1)
        .set("ranks.cores", 1)
        .cache(cache);
  }

  private Submission.Builder trainOnTexts() {
    return train()
        .set("model.path", Checkout.module().resolve("src/sample/tiny-chatglm"))
        .set("data.prompt-column", "content")
        .set("data.response-column", "summary");
  }

  /** Fails with that code, says that on standard error and in the last line, leaves nothing. */
  private void fails(Submission.Builder builder, ExitCode code, String... sentences)
      throws Exception {
    Leftovers leftovers = Leftovers.watch(cache);
    try (Submission submission = builder.start()) {
      assertThat(submission.await(LIMIT)).as(submission.err()).isEqualTo(code.number());
      assertThat(submission.err()).contains(sentences).doesNotContain("\tat ");
      assertThat(submission.result().get("status").getAsString()).isEqualTo("failed");
      assertThat(submission.result().get("exit_code").getAsInt()).isEqualTo(code.number());
      assertThat(submission.result().get("error").getAsString()).contains(sentences);
      leftovers.assertNone();
    }
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
  void aCacheDirectoryThatCannotBeUsedIsNamedWithTheReason() throws Exception {
    fails(
        train().set("cache.directory", rows.resolve("cache")),
        ExitCode.UNSUITABLE,
        "Cannot use " + rows + "/cache: " + rows + " is no directory (cache.directory)");
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), 1 << 20)) {
      fails(
          train().set("cache.directory", disk.directory()),
          ExitCode.UNSUITABLE,
          "Cannot write " + disk.directory() + "/native/",
          " bytes, its file system has ");
    }
  }

  @Test
  void memoryThatTheHostLacksIsRefusedBeforeARankStarts() throws Exception {
    fails(
        train().set("memory.kind", "hbm"),
        ExitCode.UNSUITABLE,
        "Cannot place the weights in HBM: the host has none, its memory is ");
  }

  @Test
  void missingRowsAreNamedAndTheRightOnesThenTrainInTheSameDirectory() throws Exception {
    Path there = rows;
    rows = directory.resolve("nowhere.jsonl");
    fails(train(), ExitCode.DAMAGED, "Cannot read " + rows, "(data.train)");
    rows = there;
    try (Submission mended = train().run(LIMIT)) {
      assertThat(mended.result().get("status").getAsString())
          .as(mended.err())
          .isEqualTo("finished");
    }
  }

  @Test
  void aRunDirectoryThatCannotBeIsNamed() throws Exception {
    run = rows.resolve("run");
    fails(train(), ExitCode.INVALID, "Cannot use run.directory " + run + ": ");
  }

  @Test
  void anOutputThatCannotBeWrittenIsNamedBeforeAnythingStarts() throws Exception {
    Path output = rows.resolve("output.jsonl");
    fails(
        Submission.of(directory, "score", "--output", output.toString())
            .set("model.path", Checkout.goldenSmall().resolve("model"))
            .set("data.train", rows),
        ExitCode.INVALID,
        "Cannot write " + output + ": ");
  }

  @Test
  void aConfigurationThatIsADirectoryIsNamed() throws Exception {
    fails(
        Submission.of(directory, "train", "--config", directory.toString()),
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
  void openMpiIsRefusedByName() throws Exception {
    Path openMpi = Checkout.root().resolve("native-ddp/target/cmake/libfake_open_mpi.so");
    assertThat(openMpi).exists();
    fails(
        train().set("mpi.library", openMpi),
        ExitCode.UNSUITABLE,
        "Cannot use the MPI library " + openMpi + ": it is Open MPI v4.1.4, which has another ABI");
  }

  @Test
  void anMpiLibraryThatIsMissingIsNamed() throws Exception {
    fails(
        train().set("mpi.library", "/nowhere/libmpi.so.12"),
        ExitCode.UNSUITABLE,
        "Cannot load the MPI library /nowhere/libmpi.so.12: ");
  }

  @Test
  void aNetworkInterfaceThatIsNotThereIsNamed() throws Exception {
    fails(
        train().set("mpi.interface", "no-such0"),
        ExitCode.UNSUITABLE,
        "Cannot use the network interface no-such0 (mpi.interface): ");
  }

  @Test
  void dynamicAllocationIsRefusedWithTheOptionToSet() throws Exception {
    fails(
        train().arguments("--conf", "spark.dynamicAllocation.enabled=true"),
        ExitCode.INVALID,
        "--conf spark.dynamicAllocation.enabled=false");
  }

  @Test
  void moreRanksThanSlotsCanNeverRun() throws Exception {
    fails(
        train().arguments("--master", "local[2]").set("ranks.count", 3),
        ExitCode.UNSUITABLE,
        "3 ranks run at once and local[2] has 2 task slots");
  }

  @Test
  void aCpusetSmallerThanThePlanCanNeverHoldIt() throws Exception {
    fails(
        train().onCpus("0").set("ranks.count", 2),
        ExitCode.UNSUITABLE,
        "Cannot place 2 ranks of 1 core: there is room for 1 in 1 CPU cluster (1 of 1 core) (ranks.count, ");
  }

  @Test
  void fewerClustersThanRanksCanNeverHoldThem() throws Exception {
    fails(
        train().set("ranks.count", 9).set("ranks.cores", 0).set("ranks.per-cluster", 1),
        ExitCode.UNSUITABLE,
        "Cannot place 9 ranks of 1 core: there is room for ",
        "ranks in each at most: 1) (ranks.count, ");
  }

  @Test
  void aRankThatMustBeBoundAndCannotIsRefused() throws Exception {
    Path refusing = Files.createDirectory(directory.resolve("bin"));
    Path taskset =
        Files.writeString(
            refusing.resolve("taskset"), "#!/bin/sh\necho 'taskset: not permitted' >&2\nexit 1\n");
    assertThat(taskset.toFile().setExecutable(true)).isTrue();
    fails(
        train().path(refusing).set("ranks.require-binding", true),
        ExitCode.UNSUITABLE,
        "Cannot bind a rank to CPUs 0: taskset: not permitted (ranks.require-binding)");
    try (Submission submission = train().path(refusing).start()) {
      assertThat(submission.await(LIMIT)).as(submission.err()).isZero();
      if (Runtime.getRuntime().availableProcessors() > 1) {
        assertThat(submission.err())
            .containsPattern(
                "rank 0 on [^:]+: it runs unbound, on CPUs 0,.* instead of 0: taskset: not permitted");
      }
    }
  }

  @Test
  void moreRanksThanTheHostHasCpusCanNeverRunWhateverSlotsThereAre() throws Exception {
    int cpus = Runtime.getRuntime().availableProcessors();
    fails(
        train()
            .arguments("--master", "local-cluster[1," + (cpus + 1) + ",1024]")
            .set("ranks.count", cpus + 1),
        ExitCode.UNSUITABLE,
        cpus
            + 1
            + " ranks of 1 cores are to run, and there is room for "
            + cpus
            + " on the hosts of the 1 executors, whatever slots Spark was told of");
  }

  @Test
  void moreRanksThanTheClusterHasSlotsAreWaitedFor() throws Exception {
    fails(
        train()
            .arguments("--master", "local-cluster[1,1,1024]")
            .set("ranks.count", 2)
            .set("ranks.wait", "15s"),
        ExitCode.NO_FREE_SLOTS,
        "1 executors with 1 slots of 1 cores, 2 are needed (ranks.wait)");
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

  @Test
  void anEncoderThatDoesNotFitIsRefusedWithTheNumbersBeforeAnythingIsLoaded() throws Exception {
    Path model = Files.createDirectory(directory.resolve("wide"));
    SparseModel.write(model, 131_072); // 206 GB, which nobody could convert within the limit
    fails(
        train().set("model.path", model).set("prefix.projection", true),
        ExitCode.UNSUITABLE,
        "Cannot fit the ranks into memory: the host ",
        "618.5 GB of a checkpoint's copy, and for each of 1 ranks 828.9 GB, 824.7 GB of it for the 51,541,049,344 trainable values",
        "prefix.projection, prefix.length, ranks.count");
  }
}
