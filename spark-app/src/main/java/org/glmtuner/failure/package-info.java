/** What can go wrong, as a user and a scheduler see it: one sentence and one exit code. */
package org.glmtuner.failure;
