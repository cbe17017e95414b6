package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/** Where a host has the MPI libraries that {@code mpi.library} calls by a name. */
record MpiPlaces(List<Path> intel, List<Path> mpich) {
  private static final String LIBRARY = "libmpi.so.12";
  private static final String FETCHED = "impi-rt-*";
  private static final Pattern NUMBER = Pattern.compile("\\d{1,9}");

  /** Of installations of Intel MPI: newer, and older than 2021.11. */
  private static final List<String> INTEL_LIBRARIES =
      List.of("lib/" + LIBRARY, "lib/release/" + LIBRARY);

  private static final List<Path> MPICH =
      List.of(
          Path.of("/usr/lib/x86_64-linux-gnu/libmpich.so.12"), // Debian, Ubuntu
          Path.of("/usr/lib64/mpich/lib/" + LIBRARY), // Fedora, Red Hat
          Path.of("/usr/lib64/mpi/gcc/mpich/lib64/" + LIBRARY), // openSUSE
          Path.of("/usr/local/lib/" + LIBRARY));

  /** Of a process with these environment variables, for what setup has fetched is a user's. */
  static MpiPlaces of(Map<String, String> environment) {
    List<Path> roots = new ArrayList<>();
    String cache = environment.getOrDefault("GLM_TUNER_CACHE", "");
    if (cache.isEmpty() && environment.containsKey("HOME")) {
      cache = environment.get("HOME") + "/.cache/glm-tuner";
    }
    if (!cache.isEmpty()) {
      roots.addAll(fetched(Path.of(cache)));
    }
    if (!environment.getOrDefault("I_MPI_ROOT", "").isEmpty()) {
      roots.add(Path.of(environment.get("I_MPI_ROOT")));
    }
    roots.add(Path.of("/opt/intel/oneapi/mpi/latest"));
    return new MpiPlaces(
        roots.stream()
            .flatMap(root -> INTEL_LIBRARIES.stream().map(root::resolve))
            .distinct()
            .toList(),
        MPICH);
  }

  /** What setup has fetched, the newest first, or the place where it would be. */
  private static List<Path> fetched(Path cache) {
    List<Path> roots = new ArrayList<>();
    try (DirectoryStream<Path> directories = Files.newDirectoryStream(cache, FETCHED)) {
      directories.forEach(roots::add);
    } catch (IOException e) {
      roots.clear(); // there is no such directory
    }
    roots.sort(Comparator.comparing(MpiPlaces::version, Arrays::compare).reversed());
    return roots.isEmpty() ? List.of(cache.resolve(FETCHED)) : roots;
  }

  private static int[] version(Path root) {
    return NUMBER
        .matcher(root.getFileName().toString())
        .results()
        .mapToInt(part -> Integer.parseInt(part.group()))
        .toArray();
  }

  /**
   * The library of that name.
   *
   * @throws TunerException (exit code 3) with the places where it was looked for
   */
  Path find(String name) {
    List<Path> places = name.equals("intel") ? intel : mpich;
    return places.stream()
        .filter(Files::isRegularFile)
        .findFirst()
        .orElseThrow(
            () ->
                new TunerException(
                    ExitCode.UNSUITABLE,
                    "Cannot find the MPI library "
                        + name
                        + " (mpi.library): none of "
                        + places.stream().map(Path::toString).collect(Collectors.joining(", "))
                        + " is there"));
  }
}
