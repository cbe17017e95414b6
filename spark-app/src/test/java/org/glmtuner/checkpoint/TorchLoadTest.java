package org.glmtuner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.glmtuner.cluster.Checkout;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.PrefixTensor;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What we write, as Python's PyTorch reads it; skipped where {@code python3} has none. */
class TorchLoadTest {
  private static final String LOAD =
      """
      import json, sys, torch
      state = torch.load(sys.argv[1], weights_only=True)
      print(json.dumps([{"name": n, "dtype": str(t.dtype), "shape": list(t.shape),
                         "values": t.flatten().tolist()} for n, t in state.items()]))
      """;

  @TempDir Path directory;

  private record Output(int status, String out, String err) {}

  private Output python(String... arguments) throws IOException, InterruptedException {
    String[] command = new String[arguments.length + 1];
    command[0] = "python3";
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    if (!process.waitFor(2, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("python3 did not end within two minutes");
    }
    return new Output(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  private boolean hasTorch() throws InterruptedException {
    try {
      return python("-c", "import torch").status() == 0;
    } catch (IOException e) {
      return false; // no python3
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void pythonReadsOurPrefixWithWeightsOnly(boolean projection) throws Exception {
    Assumptions.assumeTrue(hasTorch(), "python3 has no torch");
    ChatGlmConfig base =
        ChatGlmConfig.read(new LocalFolder(Checkout.goldenSmall().resolve("model")));
    Prefix prefix = new Prefix(2, projection);
    Map<String, float[]> values = PrefixCheckpoints.write(directory, base, prefix, "mine");
    Output output = python("-c", LOAD, directory.resolve(PrefixFiles.OFFICIAL).toString());
    assertThat(output.status()).as(output.err()).isZero();
    JsonArray tensors = JsonParser.parseString(output.out()).getAsJsonArray();
    assertThat(tensors).hasSameSizeAs(values.keySet());
    int i = 0;
    for (PrefixTensor tensor : PrefixTensor.of(base, prefix)) {
      JsonObject read = tensors.get(i++).getAsJsonObject();
      assertThat(read.get("name").getAsString()).isEqualTo(tensor.name());
      assertThat(read.get("dtype").getAsString()).isEqualTo("torch.float32");
      assertThat(read.getAsJsonArray("shape").asList().stream().map(JsonElement::getAsLong))
          .containsExactlyElementsOf(tensor.shape());
      JsonArray numbers = read.getAsJsonArray("values");
      float[] floats = new float[numbers.size()];
      for (int k = 0; k < floats.length; k++) {
        floats[k] = numbers.get(k).getAsFloat();
      }
      assertThat(floats).containsExactly(values.get(tensor.name()));
    }
  }
}
