/** Directories and locks, whatever file system they are on. */
package org.glmtuner.storage;
