/** The command line: one class per command, and how a process ends. */
package org.glmtuner.cli;
