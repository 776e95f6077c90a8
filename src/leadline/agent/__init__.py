"""The part of Leadline that lives in the user's process: a guest there."""
