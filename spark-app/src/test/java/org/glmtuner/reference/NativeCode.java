package org.glmtuner.reference;

import ai.djl.engine.Engine;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.glmtuner.nativeddp.NativeLibrary;

/** Loads DJL's engine and our native library into the JVM of a test. */
public final class NativeCode {
  private static boolean loaded;

  private NativeCode() {}

  /** The engine, ready for native calls. */
  public static synchronized Engine load() throws IOException {
    Engine engine = Engine.getEngine("PyTorch");
    if (!loaded) {
      Path library = Files.createTempFile("libnative_ddp", ".so");
      try (InputStream resource =
          NativeCode.class.getClassLoader().getResourceAsStream(NativeLibrary.RESOURCE)) {
        Files.write(library, resource.readAllBytes());
      }
      NativeLibrary.load(library);
      Files.delete(library);
      loaded = true;
    }
    return engine;
  }
}
