package org.glmtuner.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.glmtuner.SmallDisk;
import org.glmtuner.failure.ExitCode;
import org.junit.jupiter.api.Test;

/** What hosts and clusters may lack. */
class UnsuitableHostIT extends RefusedRuns {
  private static final int CPUS = Runtime.getRuntime().availableProcessors();

  /** Of {@link SparseModel} with H as hidden size: about so many H². */
  private static final int BASE_BYTES = 8;

  private static final int ENCODER_VALUES = 3;

  @Test
  void aCacheDirectoryThatCannotBeUsedIsNamedWithTheReason() throws Exception {
    fails(
        train().cache(rows.resolve("cache")),
        ExitCode.UNSUITABLE,
        "Cannot use " + rows + "/cache: " + rows + " is no directory (cache.directory)");
  }

  @Test
  void aCacheDirectoryWithoutRoomForTheLibrariesIsRefusedWithTheNumbers() throws Exception {
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), 1 << 20)) {
      fails(
          train().cache(disk.directory()),
          ExitCode.UNSUITABLE,
          "Cannot write " + disk.directory() + "/native/",
          " bytes, its file system has ");
    }
  }

  @Test
  void aCacheDirectoryWithRoomForTheLibrariesButNotForTheWeightsIsRefused() throws Exception {
    succeeds(score(), 1); // unpacks the libraries
    Path model = Files.createDirectory(directory.resolve("wide"));
    SparseModel.write(model, 4096);
    long weights = Files.size(model.resolve("model.safetensors"));
    long size = libraries() + weights / 2;
    assertThat(size).as("room before the libraries are unpacked").isGreaterThan(weights);
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), size)) {
      for (Submission.Builder builder : List.of(train(), score())) {
        fails(
            builder.set("model.path", model).cache(disk.directory()),
            ExitCode.UNSUITABLE,
            "Cannot write " + disk.directory() + "/weights/",
            ".safetensors: it needs ",
            " bytes, its file system has ");
      }
    }
  }

  /** Bytes of what has been unpacked. */
  private static long libraries() throws IOException {
    try (Stream<Path> files = Files.walk(cache.resolve("native"))) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }

  @Test
  void memoryThatTheHostLacksIsRefused() throws Exception {
    for (Submission.Builder builder : List.of(train(), score())) {
      fails(
          builder.set("memory.kind", "hbm"),
          ExitCode.UNSUITABLE,
          "Cannot place the weights in HBM: the host has none, its memory is ");
    }
  }

  @Test
  void aBaseThatIsLargerThanTheHostIsRefusedWithTheNumbers() throws Exception {
    Path model = Files.createDirectory(directory.resolve("wide"));
    SparseModel.write(model, hiddenSize(2 * memory("MemTotal:") / BASE_BYTES));
    for (Submission.Builder builder : List.of(train(), score())) {
      fails(
          builder.set("model.path", model),
          ExitCode.UNSUITABLE,
          "Cannot fit the ranks into memory: the host ",
          " GB of the base, ",
          "and for each of 1 ranks ");
    }
  }

  @Test
  void ranksThatDoNotFitBesideEachOtherAreRefusedBeforeOneOfThemStarts() throws Exception {
    assumeThat(CPUS).as("CPUs, for two ranks").isGreaterThan(1);
    Path model = Files.createDirectory(directory.resolve("wide"));
    // one has 16 bytes of a value and could be alone, two and a checkpoint have 44
    SparseModel.write(model, hiddenSize(memory("MemAvailable:") / 30 / ENCODER_VALUES));
    fails(
        train()
            .arguments("--master", "local-cluster[2,1,1024]")
            .set("ranks.count", 2)
            .set("model.path", model)
            .set("prefix.projection", true),
        ExitCode.UNSUITABLE,
        "Cannot fit the ranks into memory: the host ",
        " GB of a checkpoint's copy, and for each of 2 ranks ");
  }

  /** Bytes, by the name of a line of {@code /proc/meminfo}. */
  private static long memory(String name) throws IOException {
    return Files.readAllLines(Path.of("/proc/meminfo")).stream()
        .map(line -> line.split("\\s+"))
        .filter(fields -> fields[0].equals(name))
        .mapToLong(fields -> Long.parseLong(fields[1]) << 10)
        .sum();
  }

  /** At least the root, so that each of the 32 heads of {@link SparseModel} has a multiple of 4. */
  private static int hiddenSize(long square) {
    return (int) Math.ceil(Math.sqrt((double) square) / 128) * 128;
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
    Path refusing = taskset("echo 'taskset: not permitted' >&2; exit 1");
    fails(
        train().path(refusing).set("ranks.require-binding", true),
        ExitCode.UNSUITABLE,
        "Cannot bind a rank to CPUs 0: taskset: not permitted (ranks.require-binding)");
    try (Submission submission = train().path(refusing).start()) {
      assertThat(submission.await(LIMIT)).as(submission.err()).isZero();
      if (CPUS > 1) {
        assertThat(submission.err())
            .containsPattern(
                "rank 0 on [^:]+: it runs unbound, on CPUs 0,.* instead of 0: taskset: not permitted");
      }
    }
  }

  @Test
  void whatOneOfTwoRanksIsRefusedTheOtherDoesNotStartFor() throws Exception {
    assumeThat(CPUS).as("CPUs, for two ranks").isGreaterThan(1);
    Path refusing =
        taskset(
            "[ \"$2\" != 1 ] || { echo 'taskset: not permitted' >&2; exit 1; }; shift 2; exec \"$@\"");
    fails(
        train()
            .arguments("--master", "local-cluster[2,1,1024]")
            .path(refusing)
            .set("ranks.count", 2)
            .set("ranks.require-binding", true),
        ExitCode.UNSUITABLE,
        "Cannot bind a rank to CPUs 1: taskset: not permitted (ranks.require-binding)");
  }

  /** A directory with a program of that name. */
  private Path taskset(String script) throws IOException {
    Path bin = Files.createDirectory(directory.resolve("bin"));
    Path program = Files.writeString(bin.resolve("taskset"), "#!/bin/sh\n" + script + "\n");
    assertThat(program.toFile().setExecutable(true)).isTrue();
    return bin;
  }

  @Test
  void moreRanksThanTheHostHasCpusCanNeverRunWhateverSlotsThereAre() throws Exception {
    fails(
        train()
            .arguments("--master", "local-cluster[1," + (CPUS + 1) + ",1024]")
            .set("ranks.count", CPUS + 1),
        ExitCode.UNSUITABLE,
        CPUS
            + 1
            + " ranks of 1 cores are to run, and there is room for "
            + CPUS
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
