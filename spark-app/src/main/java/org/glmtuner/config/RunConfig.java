package org.glmtuner.config;

import java.io.Serializable;

/**
 * {@code run}: where a run lives and how it is called.
 *
 * @param directory the run's own directory on any Hadoop file system; empty where a command needs
 *     none
 * @param id a label; the last name of the directory where none was given
 * @param seed of sample order, initial prefix and dropout
 */
public record RunConfig(String directory, String id, long seed) implements Serializable {
  static RunConfig read(Section section) {
    String directory = section.text("directory");
    String id = section.text("id");
    return new RunConfig(
        directory,
        id.isEmpty() ? directory.replaceAll("/+$", "").replaceAll(".*/", "") : id,
        section.longInteger("seed"));
  }
}
