package org.glmtuner.cluster;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.glmtuner.SharedData;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.storage.LocalFolder;

/** A golden model: its files, made with the official code, and how near one has to come. */
public enum GoldenModel {
  SMALL(6, 0.1),

  /** With ChatGLM-6B's vocabulary; cannot be distributed. */
  VOCAB(4, 1.5e-2);

  /** Rows of a case's batch: the first ones. */
  public final int batch;

  /** Of the loss of a row in BF16. */
  public final double rowToleranceInBf16;

  GoldenModel(int batch, double rowToleranceInBf16) {
    this.batch = batch;
    this.rowToleranceInBf16 = rowToleranceInBf16;
  }

  /** Where its files are; where they are missing the calling test is skipped, saying so. */
  public Path directory() {
    return this == SMALL ? Checkout.goldenSmall() : shared();
  }

  /** All its files: those of {@code small} in the checkout are not all. */
  public Path shared() {
    return SharedData.require("data/golden/" + this);
  }

  public Path model() {
    return directory().resolve("model");
  }

  public JsonObject json(String file) throws IOException {
    return JsonParser.parseString(Files.readString(directory().resolve(file))).getAsJsonObject();
  }

  /** A tensor of a safetensors file. */
  public float[] tensor(String file, String name) throws IOException {
    return tensor(directory().resolve(file), name);
  }

  /** A tensor of a safetensors file or torch archive. */
  public static float[] tensor(Path file, String name) throws IOException {
    try (TensorFile tensors =
        TensorFile.open(new LocalFolder(file.getParent()), file.getFileName().toString())) {
      return tensors.readFloats(name);
    }
  }

  /** The values of a .npy file of little-endian FP32 in row-major order. */
  public float[] array(String file) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.wrap(Files.readAllBytes(directory().resolve(file)))
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.position(10 + bytes.getShort(8)); // magic, version, length of the header, header
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  /** As the goldens name it. */
  @Override
  public String toString() {
    return Map.of(SMALL, "small", VOCAB, "vocab").get(this);
  }
}
