package org.glmtuner.rank;

import ai.djl.engine.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.glmtuner.config.EngineConfig;
import org.glmtuner.data.Sample;
import org.glmtuner.model.FrozenTransformer;
import org.glmtuner.nativeddp.NativeLibrary;
import org.glmtuner.placement.RankPlacement;
import org.glmtuner.wire.BaseModel;

/**
 * A process that takes weights as a rank does and computes with them, without a group. Says a loss,
 * where the weights are, and how much of their file it has read before. It lives until its standard
 * input ends.
 *
 * <p>Usage: {@code PlacementProbe LIBRARY WEIGHT-FILE CONFIG mapped|ahead|shared|private}. Copies
 * are on node 0; {@code ahead} is mapped where the process prefers that node for its own memory.
 */
public final class PlacementProbe {
  private PlacementProbe() {}

  public static void main(String[] arguments) throws IOException {
    Engine.getEngine("PyTorch");
    NativeLibrary.load(Path.of(arguments[0]));
    String json = Files.readString(Path.of(arguments[2]));
    String mode = arguments[3];
    List<Integer> nodes = mode.equals("mapped") || mode.equals("ahead") ? List.of() : List.of(0);
    int preferred = mode.equals("mapped") ? RankPlacement.NEAREST : 0;
    RankPlacement placement =
        new RankPlacement(nodes, !mode.equals("private"), preferred, true, true);
    String own = OwnMemory.prefer(placement);
    BaseModel base = new BaseModel(arguments[1], "", json, 1, EngineConfig.Isa.AUTO, placement);
    int[] ids = Stream.iterate(5, id -> id + 1).limit(9).mapToInt(Integer::intValue).toArray();
    int[] labels = ids.clone();
    Arrays.fill(labels, 0, 3, Sample.IGNORED);
    AtomicLong read = new AtomicLong();
    try (FrozenTransformer transformer =
        FrozenTransformer.open(base, base.parseConfig(), read::addAndGet)) {
      double loss = transformer.losses(List.of(new Sample(0, ids, labels, 2, 1)), null)[0];
      System.out.println(loss + " " + transformer.memory() + own + ", read " + read);
      while (System.in.read() >= 0) {
        // until the test has seen enough
      }
    }
  }
}
