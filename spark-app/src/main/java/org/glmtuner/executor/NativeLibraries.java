package org.glmtuner.executor;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.stream.Stream;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Digests;
import org.glmtuner.storage.DiskSpace;
import org.glmtuner.storage.HostLock;
import org.glmtuner.storage.PrivateDirectory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The native libraries of the application jar, unpacked once per host into a directory that is
 * named by their content: libtorch with DJL's binding, our own library, and the default MPI; and
 * {@code glm-topology} in another.
 */
final class NativeLibraries {
  private static final Logger LOG = LoggerFactory.getLogger(NativeLibraries.class);

  private static final String TOPOLOGY_PROGRAM = "glm-topology";

  /**
   * A resource that is certainly there, the folder of its kind inside the jar, and where that
   * folder's files go.
   */
  private record Bundle(String anchor, String folder, String target) {}

  private static final List<Bundle> BUNDLES =
      List.of(
          new Bundle(
              "pytorch/cpu/linux-x86_64/libtorch_cpu.so", "pytorch/cpu/linux-x86_64/", "torch/"),
          new Bundle(
              "jnilib/linux-x86_64/cpu/libdjl_torch.so", "jnilib/linux-x86_64/cpu/", "torch/"),
          new Bundle("native/linux-x86_64/libnative_ddp.so", "native/linux-x86_64/", ""),
          new Bundle(
              "native/linux-x86_64/mpich/libmpi.so.12", "native/linux-x86_64/mpich/", "mpich/"));

  /** By itself, since hosts run it that never start a rank. */
  private static final Bundle TOPOLOGY =
      new Bundle(
          "native/linux-x86_64/topology/" + TOPOLOGY_PROGRAM, "native/linux-x86_64/topology/", "");

  private static final String MPI_PROBE = "mpi-probe";

  /** Files that are started; a jar does not say so. */
  private static final Set<String> PROGRAMS = Set.of(TOPOLOGY_PROGRAM, MPI_PROBE);

  /** A file to unpack; {@code mark} changes with its content. */
  private record Item(URL source, String target, String mark) {
    long bytes() {
      return Long.parseLong(mark.substring(0, mark.indexOf(' ')));
    }
  }

  private final Path directory;

  private NativeLibraries(Path directory) {
    this.directory = directory;
  }

  /** Unpacks what is not there yet; other processes and threads wait meanwhile. */
  static NativeLibraries provide(Path cacheDirectory) throws IOException, InterruptedException {
    return new NativeLibraries(unpacked(cacheDirectory, BUNDLES));
  }

  /** {@code glm-topology}, unpacked in the same way. */
  static Path topologyProgram(Path cacheDirectory) throws IOException, InterruptedException {
    return unpacked(cacheDirectory, List.of(TOPOLOGY)).resolve(TOPOLOGY_PROGRAM);
  }

  @SuppressWarnings("try") // the lock is held, not used
  private static Path unpacked(Path cacheDirectory, List<Bundle> bundles)
      throws IOException, InterruptedException {
    List<Item> items = items(bundles);
    Path parent = PrivateDirectory.provideIn(cacheDirectory, "native");
    Path directory = parent.resolve(key(items));
    if (!Files.isDirectory(directory)) { // complete directories appear under this name only
      try (HostLock lock =
          HostLock.acquire(parent.resolve("lock"), () -> LOG.info("Waiting for {}", directory))) {
        if (!Files.isDirectory(directory)) {
          unpack(items, directory);
        }
      }
    }
    return directory;
  }

  /** libtorch and DJL's binding; nothing else may be in it, for DJL loads all it finds there. */
  Path torchDirectory() {
    return directory.resolve("torch");
  }

  Path nativeDdp() {
    return directory.resolve("libnative_ddp.so");
  }

  Path defaultMpi() {
    return directory.resolve("mpich/libmpi.so.12");
  }

  /** The libfabric that the default MPI brings. */
  Path defaultLibfabric() {
    return directory.resolve("mpich/mpich/libfabric.so.1");
  }

  /** The program that looks at MPI libraries. */
  Path mpiProbe() {
    return directory.resolve(MPI_PROBE);
  }

  private static List<Item> items(List<Bundle> bundles) throws IOException {
    List<Item> items = new ArrayList<>();
    for (Bundle bundle : bundles) {
      URL anchor = NativeLibraries.class.getClassLoader().getResource(bundle.anchor());
      if (anchor == null) {
        throw TunerException.damaged(
            "Cannot find "
                + bundle.anchor()
                + " in the application jar: it was not built as the README says");
      }
      URLConnection connection = anchor.openConnection();
      if (connection instanceof JarURLConnection jar) {
        ofJar(jar, bundle, items);
      } else {
        ofFolder(Path.of(anchor.getPath()), bundle, items);
      }
    }
    return items;
  }

  private static void ofJar(JarURLConnection jar, Bundle bundle, List<Item> items)
      throws IOException {
    for (JarEntry entry : Collections.list(jar.getJarFile().entries())) {
      String name = entry.getName();
      if (belongs(name, bundle) && !entry.isDirectory()) {
        URL source = new URL("jar:" + jar.getJarFileURL() + "!/" + name);
        String mark = entry.getSize() + " " + entry.getCrc();
        items.add(
            new Item(source, bundle.target() + name.substring(bundle.folder().length()), mark));
      }
    }
  }

  private static void ofFolder(Path anchor, Bundle bundle, List<Item> items) throws IOException {
    Path root =
        Path.of(
            anchor.toString().substring(0, anchor.toString().length() - bundle.anchor().length()));
    try (Stream<Path> files = Files.walk(root.resolve(bundle.folder()))) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        String name = root.relativize(file).toString();
        if (belongs(name, bundle)) {
          String mark = Files.size(file) + " " + Files.getLastModifiedTime(file).toMillis();
          items.add(
              new Item(
                  file.toUri().toURL(),
                  bundle.target() + name.substring(bundle.folder().length()),
                  mark));
        }
      }
    }
  }

  /** Of several bundles that hold a name, the one with the longest folder has it. */
  private static boolean belongs(String name, Bundle bundle) {
    return name.startsWith(bundle.folder())
        && Stream.concat(BUNDLES.stream(), Stream.of(TOPOLOGY))
            .noneMatch(
                other ->
                    other.folder().length() > bundle.folder().length()
                        && other.folder().startsWith(bundle.folder())
                        && name.startsWith(other.folder()));
  }

  private static String key(List<Item> items) {
    StringBuilder text = new StringBuilder();
    items.stream()
        .map(item -> item.target() + " " + item.mark() + "\n")
        .sorted()
        .forEach(text::append);
    return Digests.hex(text.toString().getBytes(StandardCharsets.UTF_8)).substring(0, 16);
  }

  private static void unpack(List<Item> items, Path directory) throws IOException {
    try (DirectoryStream<Path> abandoned =
        Files.newDirectoryStream(directory.getParent(), ".unpacking-*")) {
      for (Path leftover : abandoned) { // of a process that was killed: the lock is ours now
        PrivateDirectory.deleteTree(leftover);
      }
    }
    long needed = items.stream().mapToLong(Item::bytes).sum();
    DiskSpace.require(directory, needed);
    Path temporary = Files.createTempDirectory(directory.getParent(), ".unpacking-");
    for (Item item : items) {
      Path target = temporary.resolve(item.target());
      Files.createDirectories(target.getParent());
      try (InputStream in = item.source().openStream()) {
        Files.copy(in, target);
        if (PROGRAMS.contains(item.target())
            && !target.toFile().setExecutable(true)) { // for the owner
          throw new IOException("it cannot be made executable");
        }
      } catch (IOException e) {
        DiskSpace.explain(directory, needed, e);
        throw new IOException(
            "Cannot unpack " + item.target() + " into " + temporary + ": " + e.getMessage(), e);
      }
    }
    Files.move(temporary, directory, StandardCopyOption.ATOMIC_MOVE);
  }
}
