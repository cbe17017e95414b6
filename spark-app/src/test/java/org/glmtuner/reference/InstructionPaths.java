package org.glmtuner.reference;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.glmtuner.config.EngineConfig.Isa;
import org.glmtuner.nativeddp.NativeTransformer;
import org.junit.jupiter.params.provider.Arguments;

/** The paths that tests of numbers take through the native code. */
final class InstructionPaths {
  private InstructionPaths() {}

  /** Each of the arguments with each path that can be forced. */
  static Stream<Arguments> with(List<Arguments> arguments) {
    List<Isa> paths = Arrays.stream(Isa.values()).filter(isa -> isa != Isa.AUTO).toList();
    return arguments.stream()
        .flatMap(
            one ->
                paths.stream()
                    .map(
                        isa ->
                            Arguments.of(
                                Stream.concat(Arrays.stream(one.get()), Stream.of(isa))
                                    .toArray())));
  }

  /** Skips the test, visibly, where the CPU lacks the instructions. */
  static void require(Isa isa) throws IOException {
    NativeCode.load();
    String refusal = NativeTransformer.refusal(isa.label()).orElse("");
    assumeTrue(refusal.isEmpty(), refusal);
  }
}
