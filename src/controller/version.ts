/** The version of the controller and of the protocol between controllers. */

export const controllerVersion = '0.1.0';

/** Raised when an older controller could misunderstand a newer one. */
export const protocolVersion = 1;
