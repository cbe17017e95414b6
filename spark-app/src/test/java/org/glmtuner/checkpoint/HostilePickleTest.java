package org.glmtuner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.glmtuner.checkpoint.TorchArchives.pickle;
import static org.glmtuner.checkpoint.TorchArchives.text;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostilePickleTest {
  private static final String NAME = "a.bin";

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        // os.system('x') by REDUCE, INST, NEWOBJ, OBJ, STACK_GLOBAL, through the memo, nested
        "cos\\nsystem\\nX\\1\\0\\0\\0x\\u0085R|it would run os.system",
        "(X\\1\\0\\0\\0xios\\nsystem\\n|it would run os.system",
        "cos\\nsystem\\nX\\1\\0\\0\\0x\\u0085\\u0081|it would run os.system",
        "(cos\\nsystem\\nX\\1\\0\\0\\0xo|it would run os.system",
        "\\u008c\\2os\\u0094\\u008c\\6system\\u0094\\u0093X\\1\\0\\0\\0x\\u0085R"
            + "|it would run os.system",
        "\\u008c\\2osq\\7\\u008c\\6systemq\\10N(h\\7h\\10\\u0093|it would run os.system",
        "}X\\1\\0\\0\\0acbuiltins\\neval\\nX\\1\\0\\0\\0x\\u0085Rs|it would run builtins.eval",
        "ctorch\\nload\\nX\\1\\0\\0\\0x\\u0085R|it would run torch.load",
        "ctorch._utils\\n_rebuild_tensor\\n|it would run torch._utils._rebuild_tensor",
        "ccollections\\nCounter\\n|it would run collections.Counter",
        "\\u0082\\1|its pickle uses the opcode 0x82",
        "Pstorage\\n|its pickle uses the opcode 0x50",
        "}\\u0081|its pickle uses the opcode 0x81",
        // calls of what may be named, but not called so
        "ctorch\\nFloatStorage\\n)R|its pickle is damaged",
        "ccollections\\nOrderedDict\\n]\\u0085R|an OrderedDict is built from arguments",
        "X\\1\\0\\0\\0aQ|a persistent id is not that of a storage",
        "}X\\1\\0\\0\\0a}b|only a dict may have attributes",
        "K\\1}b|only a dict may have attributes",
        // contents that are no tensors
        "}X\\1\\0\\0\\0aK\\1s|its entry a is not a tensor",
        "}K\\1K\\2s|its entry 1 is not a tensor",
        "]|its pickle is not a dict of tensors",
        "}(X\\1\\0\\0\\0aK\\1X\\1\\0\\0\\0aK\\2u|the key a is there twice",
        "R|its pickle is damaged",
        "X\\377\\377\\377\\177|its pickle ends in the middle",
        "X\\377\\377\\377\\377|its pickle ends in the middle",
        "}.}|there are bytes behind its pickle",
        "cos|its pickle ends in the middle",
      })
  void refusesAPickleOfAnythingButTensors(String opcodes, String reason) throws IOException {
    write(pickle(unescape(opcodes)), Map.of());
    assertRefused(reason);
  }

  /** Each list holds the one before twice, so that to hash the last takes 2^40 steps. */
  @Test
  @Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void refusesAKeyOfNestedLists() throws IOException {
    StringBuilder opcodes = new StringBuilder("]q\0");
    for (int i = 0; i < 40; i++) {
      opcodes.append("](h\0h\0eq\0");
    }
    write(pickle(opcodes + "}h\0K\1s"), Map.of());
    assertRefused("a key of a dict is neither a text nor a number");
  }

  @Test
  void refusesAKeyThatHoldsItself() throws IOException {
    write(pickle("}]q\0h\0aK\1s"), Map.of());
    assertRefused("a key of a dict is neither a text nor a number");
    write(pickle("}(}q\0(Nh\0uK\1u"), Map.of());
    assertRefused("a key of a dict is neither a text nor a number");
  }

  @Test
  void namesWhatItRefuses() throws IOException {
    write(pickle("cos\nsystem\n" + text("x") + "\u0085R"), Map.of());
    assertRefused("it would run os.system (only tensors are allowed in a checkpoint)");
  }

  /** Octal, line feed and {@code u00xx} escapes, which annotations' tables would swallow. */
  private static String unescape(String escaped) {
    return Pattern.compile("\\\\u00([0-9a-f]{2})")
        .matcher(escaped)
        .replaceAll(match -> Matcher.quoteReplacement(octal(match.group(1))))
        .translateEscapes();
  }

  private static String octal(String hex) {
    return String.format("\\%03o", Integer.parseInt(hex, 16));
  }

  private void write(String pickle, Map<String, byte[]> records) throws IOException {
    TorchArchives.write(directory.resolve(NAME), pickle, records);
  }

  private void assertRefused(String reason) {
    assertThatThrownBy(this::open)
        .isInstanceOfSatisfying(
            TunerException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.DAMAGED))
        .hasMessageStartingWith("Cannot read %s: %s", directory.resolve(NAME), reason);
  }

  private TensorFile open() throws IOException {
    return TensorFile.open(new LocalFolder(directory), NAME);
  }
}
