"""The library as a tool inside an LMS (LTI 1.3): pages for people, endpoints for the LMS, and who may use them."""
