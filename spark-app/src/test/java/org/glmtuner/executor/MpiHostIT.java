package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.glmtuner.OwnCache;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.cluster.InstalledMpi;
import org.glmtuner.config.ConfigLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Groups of two ranks of one host, with every MPI library that is here. */
class MpiHostIT {
  /** L, 2, P, H: 7 MB by slices of 1 MB. */
  private static final int[] SHAPE = {7, 2, 32, 4096};

  private static final int ROUNDS = 2;

  @TempDir static Path cache; // unpacking libraries takes long
  @TempDir Path directory;

  /** Sums over the ranks, which check what they get; how they are joined. */
  private static String sum(String library, Map<String, String> more) throws Exception {
    Map<String, String> settings = OwnCache.settings(cache);
    settings.putAll(more);
    settings.put("mpi.library", library);
    try (LocalRanks ranks =
        LocalRanks.open(ConfigLoader.load("", "", settings), HostTopology.read(cache), 2, 1)) {
      SumTimes.measure(ranks, SHAPE, ROUNDS);
      List<RankTransport> transports = ranks.transports();
      ranks.finish();
      return RankTransport.describe(transports);
    }
  }

  @ParameterizedTest
  @EnumSource
  void ranksOfOneHostShareMemoryAndNeedNoNetwork(InstalledMpi mpi) throws Exception {
    assertThat(sum(mpi.library(), Map.of()))
        .isEqualTo("2 ranks, " + mpi.layer() + ": shared memory, no TCP connection");
  }

  @Test
  void theEnvironmentOfRanksSaysWhereTheLibrariesOfTheLibraryAre() throws Exception {
    Path installed = Checkout.toolchain().resolve("mpich-5.0.2/lib");
    Path alone = Files.copy(installed.resolve("libmpi.so.12"), directory.resolve("libmpi.so.12"));
    String parts = installed.resolve("mpich").toString();
    assertThat(sum(alone.toString(), Map.of("mpi.environment.LD_LIBRARY_PATH", parts)))
        .startsWith("2 ranks, UCX");
  }
}
